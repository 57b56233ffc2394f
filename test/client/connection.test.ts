import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { parseAddress } from '../../src/client/address.js';
import { Connection, type ConnectionOwner } from '../../src/client/connection.js';
import { type ConnectionOptions, connectionSettings } from '../../src/client/options.js';
import { CLS, encodePub, NOP } from '../../src/protocol/commands.js';
import { encodeFrame, FrameType } from '../../src/protocol/frame.js';
import { failure, until } from './support/clients.js';
import {
  cut,
  deadAddress,
  type FakeOptions,
  fakeNsqd,
  hasIpv6,
  messageId,
  silent,
} from './support/fake-nsqd.js';

class Recorder implements ConnectionOwner {
  readonly messages: string[] = [];
  readonly refusals: string[] = [];
  readonly ends: string[] = [];

  message(bytes: Buffer, start: number, end: number): void {
    this.messages.push(bytes.toString('latin1', start + 26, end));
  }

  refused(error: { code: string }): void {
    this.refusals.push(error.code);
  }

  drained(): void {
    // nothing to do
  }

  closed(error: { code: string }): void {
    this.ends.push(error.code);
  }
}

async function open(address: string, options: ConnectionOptions = {}, signal = new AbortController().signal) {
  const owner = new Recorder();
  const connection = await Connection.open(
    parseAddress(address),
    connectionSettings(options),
    owner,
    signal,
    async () => undefined,
  );
  onTestFinished(() => connection.destroy());
  return { owner, connection };
}

async function opened(fake: FakeOptions = {}, options: ConnectionOptions = {}) {
  const nsqd = await fakeNsqd(fake);
  const { owner, connection } = await open(nsqd.address, options);
  const peer = await nsqd.peer();
  await peer.next('IDENTIFY');
  return { nsqd, peer, owner, connection };
}

describe('Connection: handshake', () => {
  it('says who it is and what it wants', async () => {
    const nsqd = await fakeNsqd({
      identify: { max_rdy_count: 7, msg_timeout: 5000, version: '9.9' },
    });
    const { connection } = await open(nsqd.address, {
      clientId: 'me',
      hostname: 'here',
      heartbeatInterval: 5000,
      outputBufferSize: 1024,
      outputBufferTimeout: -1,
      msgTimeout: 9000,
      sampleRate: 50,
      topologyRegion: 'eu',
      topologyZone: 'a',
    });
    const identify = await (await nsqd.peer()).next('IDENTIFY');
    expect(JSON.parse(identify.body.toString())).toEqual({
      client_id: 'me',
      hostname: 'here',
      user_agent: expect.stringMatching(/^nsq-js\//),
      feature_negotiation: true,
      heartbeat_interval: 5000,
      output_buffer_size: 1024,
      output_buffer_timeout: -1,
      sample_rate: 50,
      msg_timeout: 9000,
      topology_region: 'eu',
      topology_zone: 'a',
      tls_v1: false,
      snappy: false,
      deflate: false,
    });
    expect(connection.negotiated).toEqual({
      maxRdyCount: 7,
      msgTimeout: 5000,
      version: '9.9',
      authRequired: false,
      tls: false,
      compression: 'none',
      deflateLevel: 6,
      maxMsgSize: 0,
      maxBodySize: 0,
    });
  });

  it('takes the bare OK of an old broker', async () => {
    const { connection } = await opened({ on: { IDENTIFY: (peer) => peer.respond('OK') } });
    expect(connection.negotiated).toMatchObject({ maxRdyCount: 2500, version: '' });
  });

  it.each([
    ['nobody listens', undefined, { code: 'E_CONNECT', cause: { code: 'ECONNREFUSED' } }],
    ['the broker hangs up', cut, { code: 'E_CONNECTION_LOST' }],
    ['the broker is silent', silent, { code: 'E_CONNECT_TIMEOUT' }],
    ['the broker refuses', (peer) => peer.error('E_BAD_BODY IDENTIFY failed'), { code: 'E_BAD_BODY' }],
    ['the answer is neither OK nor JSON', (peer) => peer.respond('hello'), { code: 'E_HANDSHAKE' }],
    ['the answer is a JSON list', (peer) => peer.respond('[]'), { code: 'E_HANDSHAKE' }],
    ['it is no nsqd', (peer) => peer.raw('HTTP/1.1 400 Bad Request\r\n\r\n'), { code: 'E_PROTOCOL' }],
  ] satisfies [string, NonNullable<FakeOptions['on']>[string] | undefined, object][])(
    'fails with a typed error when %s',
    async (_what, reply, expected) => {
      const address = reply ? (await fakeNsqd({ on: { IDENTIFY: reply } })).address : await deadAddress();
      const error = await failure(open(address, { handshakeTimeout: 100 }));
      expect(error).toMatchObject({ address, ...expected });
      expect((error as Error).message).toContain(address);
    },
  );

  it('gives up when told to', async () => {
    const nsqd = await fakeNsqd({ on: { IDENTIFY: silent } });
    const abort = new AbortController();
    const attempt = failure(open(nsqd.address, {}, abort.signal));
    const peer = await nsqd.peer();
    await peer.next('IDENTIFY');
    abort.abort();
    expect(await attempt).toMatchObject({ code: 'E_CLOSED' });
    await peer.closed();
    expect(await failure(open(nsqd.address, {}, abort.signal))).toMatchObject({ code: 'E_CLOSED' });
  });

  it.each(hasIpv6 ? ['127.0.0.1', '::1'] : ['127.0.0.1'])(
    'reaches localhost when the broker listens on %s only',
    async (host) => {
      const { port } = await fakeNsqd({ host });
      const { connection } = await open(`localhost:${port}`);
      expect(connection.isWritable).toBe(true);
    },
  );

  it.runIf(hasIpv6)('reaches an IPv6 address', async () => {
    await open((await fakeNsqd({ host: '::1' })).address);
  });

  it('reaches a unix socket', async () => {
    const path = join(tmpdir(), `nsq-client-${process.pid}-${Math.trunc(performance.now())}.sock`);
    onTestFinished(() => rm(path, { force: true }));
    await open((await fakeNsqd({ path })).address);
  });
});

describe('Connection: conversation', () => {
  it('answers heartbeats, also in the middle of everything else', async () => {
    const { peer, owner } = await opened();
    const heartbeat = encodeFrame(FrameType.Response, '_heartbeat_');
    peer.raw(heartbeat.subarray(0, 5));
    peer.raw(heartbeat.subarray(5));
    peer.message([1, 'one']);
    peer.heartbeat();
    await peer.until(() => peer.count('NOP') >= 1);
    await until(() => owner.messages.length === 1);
    await peer.until(() => peer.count('NOP') === 2);
  });

  it('matches answers to requests in order', async () => {
    const { peer, connection } = await opened({ on: { PUB: silent } });
    const answers = ['a', 'b', 'c'].map((body) => connection.call(encodePub('t', body)));
    await peer.until(() => peer.count('PUB') === 3);
    peer.respond('1');
    peer.heartbeat();
    peer.respond('2');
    peer.respond('3');
    expect(await Promise.all(answers)).toEqual(['1', '2', '3']);
  });

  it('sends what belongs to one turn in one write', async () => {
    const { peer, connection } = await opened();
    const before = peer.chunks.length;
    const ids = Buffer.from(Array.from({ length: 100 }, (_, id) => messageId(id)).join(''));
    for (let i = 0; i < 100; i++) connection.sendFin(ids, i * 16);
    connection.send(NOP);
    await peer.next('NOP');
    expect(peer.commands.filter((one) => one.name === 'FIN').map((one) => one.params[0])).toEqual(
      Array.from({ length: 100 }, (_, id) => messageId(id)),
    );
    expect(peer.chunks.slice(before)).toHaveLength(1);
  });

  it('reports refusals that leave the connection alive, and goes on', async () => {
    const { peer, owner, connection } = await opened();
    peer.error(`E_FIN_FAILED FIN ${messageId(1)} failed`);
    peer.error('E_REQ_FAILED');
    peer.error('E_TOUCH_FAILED');
    expect(await connection.call(encodePub('t', 'x'))).toBe('OK');
    expect(owner.refusals).toEqual(['E_FIN_FAILED', 'E_REQ_FAILED', 'E_TOUCH_FAILED']);
  });

  it('ends with a fatal refusal: its request gets it, those behind have not arrived', async () => {
    const { owner, connection } = await opened({
      on: { PUB: (peer) => peer.error('E_BAD_TOPIC PUB topic') },
    });
    const failures: unknown[] = [];
    for (const name of ['first', 'second', 'third']) {
      connection.request(encodePub('t', name), {
        answered: () => failures.push('answered'),
        failed: (error, mayHaveArrived) => failures.push([name, error.code, mayHaveArrived]),
      });
    }
    await until(() => owner.ends.length === 1);
    expect(owner.ends).toEqual(['E_BAD_TOPIC']);
    expect(failures).toEqual([
      ['first', 'E_BAD_TOPIC', false],
      ['third', 'E_CONNECTION_LOST', false],
      ['second', 'E_CONNECTION_LOST', false],
    ]);
  });

  it('fails what is under way when it is cut, and says what may have arrived', async () => {
    const { peer, owner, connection } = await opened({ on: { PUB: silent } });
    const outcome: unknown[] = [];
    const request = (name: string) =>
      connection.request(encodePub('t', name), {
        answered: () => outcome.push('answered'),
        failed: (error, mayHaveArrived) => outcome.push([name, error.code, mayHaveArrived]),
      });
    request('sent');
    await peer.next('PUB');
    request('gathered');
    connection.destroy();
    request('late');
    expect(outcome).toEqual([
      ['sent', 'E_CLOSED', true],
      ['gathered', 'E_CLOSED', false],
      ['late', 'E_CLOSED', false],
    ]);
    expect(owner.ends).toEqual(['E_CLOSED']);
  });

  it.each([
    ['a frame of negative size', Buffer.from('ffffffff00000000', 'hex')],
    ['a frame beyond the bound', Buffer.from('7fffffff00000002', 'hex')],
    ['a frame of unknown type', Buffer.from('0000000600000009', 'hex')],
    ['an answer to nothing', encodeFrame(FrameType.Response, 'OK')],
  ])('ends at %s', async (_what, bytes) => {
    const { peer, owner } = await opened();
    peer.raw(bytes);
    await peer.closed();
    expect(owner.ends).toEqual(['E_PROTOCOL']);
  });

  it('bounds frames by maxFrameSize', async () => {
    const { peer, owner } = await opened({}, { maxFrameSize: 1024 });
    peer.message([1, 'x'.repeat(998)], [2, 'x'.repeat(999)]);
    await peer.closed();
    expect(owner.messages).toHaveLength(1);
    expect(owner.ends).toEqual(['E_PROTOCOL']);
  });

  it('gives up a peer that is silent for two heartbeat intervals, and no sooner', async () => {
    vi.useFakeTimers({ toFake: ['setInterval'] });
    onTestFinished(() => void vi.useRealTimers());
    const { peer, owner } = await opened({}, { heartbeatInterval: 1000 });
    for (let beat = 1; beat <= 5; beat++) {
      vi.advanceTimersByTime(1900);
      peer.heartbeat();
      await peer.until(() => peer.count('NOP') === beat);
    }
    expect(owner.ends).toEqual([]);
    vi.advanceTimersByTime(2500);
    expect(owner.ends).toEqual(['E_DEAD_PEER']);
    await peer.closed();
  });

  it('sends all that is gathered before it closes', async () => {
    const { peer, owner, connection } = await opened({ on: { CLS: silent } });
    connection.send(NOP);
    connection.send(CLS);
    await connection.close();
    await peer.closed();
    expect(peer.commands.map((one) => one.name)).toEqual(['IDENTIFY', 'NOP', 'CLS']);
    expect(owner.ends).toEqual(['E_CLOSED']);
    await connection.close();
  });

  it('closes also when the peer never ends its side', async () => {
    const { peer, connection } = await opened();
    peer.socket.pause();
    await connection.close();
    expect(connection.isClosed).toBe(true);
  });
});
