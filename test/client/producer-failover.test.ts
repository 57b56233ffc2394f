import { describe, expect, it, onTestFinished } from 'vitest';
import { startBroker } from '../../src/broker/index.js';
import type { PublishError } from '../../src/client/errors.js';
import { startLookupd } from '../../src/lookupd/index.js';
import { failure, producerTo, until } from './support/clients.js';
import { fakeLookupd } from './support/fake-lookupd.js';
import { deadAddress, fakeNsqd, messagesOf, type Reply, silent } from './support/fake-nsqd.js';

const bodiesOf = (peers: readonly { commands: readonly { body: Buffer }[] }[]): string[] =>
  peers.flatMap((peer) => peer.commands.slice(1).map(({ body }) => body.toString()));

describe('Producer: failover', () => {
  it('publishes under load while a broker dies: nothing lost, nothing twice but what may have arrived', async () => {
    const kept: string[] = [];
    const keep: Reply = (peer, command) => {
      kept.push(...messagesOf(command));
      peer.respond('OK');
    };
    let commands = 0;
    const keepAndDie: Reply = (peer, command) => {
      if (++commands === 40) void dying.stop();
      else keep(peer, command);
    };
    const dying = await fakeNsqd({ on: { PUB: keepAndDie, MPUB: keepAndDie } });
    const other = await fakeNsqd({ on: { PUB: keep, MPUB: keep } });
    const producer = producerTo([dying.address, other.address]);
    const outcomes = new Map<string, PublishError | 'OK'>();
    let next = 0;
    const worker = async (): Promise<void> => {
      while (next < 20_000) {
        const body = `${next++}`;
        await producer.publish('topic', body).then(
          () => outcomes.set(body, 'OK'),
          (error: PublishError) => outcomes.set(body, error),
        );
      }
    };
    await Promise.all(Array.from({ length: 200 }, worker));
    expect(commands).toBe(40);
    expect(new Set(kept).size).toBe(kept.length);
    const inDoubt = [...outcomes].filter(([, outcome]) => outcome !== 'OK');
    expect(inDoubt.length).toBeGreaterThan(0);
    expect(inDoubt.length).toBeLessThan(1000);
    for (const [, error] of inDoubt)
      expect(error).toMatchObject({ code: 'E_CONNECTION_LOST', mayHaveArrived: true });
    expect([...kept].sort()).toEqual(
      [...outcomes]
        .filter(([, outcome]) => outcome === 'OK')
        .map(([body]) => body)
        .sort(),
    );
  });

  it('leaves a broker that does not answer alone, as long as there is another', async () => {
    const [stuck, well] = [await fakeNsqd({ on: { PUB: silent } }), await fakeNsqd()];
    const producer = producerTo([stuck.address, well.address]);
    const up = new Set<string>();
    producer.on('connect', (address) => up.add(address));
    await producer.connect();
    await until(() => up.size === 2);
    const outcomes: unknown[] = [];
    for (let n = 0; n < 10; n++) {
      outcomes.push(await producer.publish('t', `${n}`, { timeout: 30 }).catch((error: unknown) => error));
    }
    expect(outcomes.filter((one) => one !== undefined)).toHaveLength(1);
    stuck.peers[0]?.respond('OK');
    for (let n = 0; n < 10 && stuck.peers[0]?.count('PUB') === 1; n++) {
      await producer.publish('t', 'again', { timeout: 30 }).catch(() => undefined);
    }
    expect(stuck.peers[0]?.count('PUB')).toBe(2);
  });

  it('publishes again what was lost, when told so, in order, and remembers the doubt', async () => {
    let first = true;
    const nsqd = await fakeNsqd({
      on: {
        PUB: (peer, { body }) => {
          if (first && body.toString() === '3') peer.cut();
          else if (body.toString() === 'never') peer.cut();
          else if (!first) peer.respond('OK');
          if (body.toString() === '3') first = false;
        },
      },
    });
    const producer = producerTo(nsqd.address, { retryLost: true, autoBatch: false });
    await Promise.all(['1', '2', '3'].map((body) => producer.publish('t', body)));
    expect(bodiesOf(nsqd.peers)).toEqual(['1', '2', '3', '1', '2', '3']);
    const error = await failure(producer.publish('t', 'never', { timeout: 100 }));
    expect(error).toMatchObject({ code: 'E_TIMEOUT', mayHaveArrived: true });
  });
});

describe('Producer: lookupds', () => {
  it('finds the brokers, and those that come later', async () => {
    const [a, b] = [await fakeNsqd(), await fakeNsqd()];
    const lookupd = await fakeLookupd([a.address]);
    const producer = producerTo(undefined, {
      lookupdHttpAddresses: lookupd.address,
      lookupdPollInterval: 10,
    });
    await producer.connect();
    await producer.publish('t', '1');
    const up = new Promise((resolve) => producer.once('connect', resolve));
    lookupd.lists([a.address, b.address]);
    expect(await up).toBe(b.address);
    for (let n = 0; n < 4; n++) await producer.publish('t', `${n}`);
    expect(b.peers[0]?.count('PUB')).toBe(2);
  });

  it('publishes no more to one that is listed no more, unless there is no other', async () => {
    const [a, b] = [await fakeNsqd(), await fakeNsqd()];
    const lookupd = await fakeLookupd([a.address, b.address]);
    const producer = producerTo(undefined, {
      lookupdHttpAddresses: [lookupd.address],
      lookupdPollInterval: 10,
    });
    const up = new Set<string>();
    producer.on('connect', (address) => up.add(address));
    await producer.connect();
    await until(() => up.size === 2);
    const listing = async (...nsqds: string[]): Promise<void> => {
      lookupd.lists(nsqds);
      while (
        (await new Promise<readonly string[]>((resolve) => producer.once('lookup', (_, all) => resolve(all))))
          .length !== nsqds.length
      );
    };
    await listing(a.address);
    for (let n = 0; n < 4; n++) await producer.publish('t', 'to a');
    expect(b.peers[0]?.count('PUB')).toBe(0);
    await listing();
    for (let n = 0; n < 4; n++) await producer.publish('t', 'to either');
    expect([a.peers[0]?.count('PUB'), b.peers[0]?.count('PUB')]).toEqual([6, 2]);
  });

  it('waits for a broker to be listed, and says why nothing can be published', async () => {
    const lookupd = await fakeLookupd();
    const producer = producerTo(undefined, {
      lookupdHttpAddresses: lookupd.address,
      lookupdPollInterval: 10,
    });
    expect(await failure(producer.connect())).toMatchObject({ code: 'E_CONNECT' });
    expect(await failure(producer.publish('t', 'x', { timeout: 20 }))).toMatchObject({
      code: 'E_TIMEOUT',
      mayHaveArrived: false,
      cause: { code: 'E_CONNECT', message: `${lookupd.address}: no nsqd is listed` },
    });
    const call = producer.publish('t', 'x');
    const nsqd = await fakeNsqd();
    lookupd.lists([nsqd.address]);
    await call;

    const lost = producerTo(undefined, { lookupdHttpAddresses: await deadAddress() });
    expect(await failure(lost.connect())).toMatchObject({ name: 'LookupError', code: 'E_LOOKUP' });
    expect(await failure(lost.publish('t', 'x', { timeout: 20 }))).toMatchObject({
      code: 'E_TIMEOUT',
      mayHaveArrived: false,
      cause: { code: 'E_LOOKUP' },
    });
  });

  it('works with a lookupd and brokers of this package', async () => {
    const lookupd = await startLookupd();
    onTestFinished(() => lookupd.close());
    const broker = await startBroker({
      lookupdTcpAddresses: [lookupd.tcpAddress],
      broadcastAddress: '127.0.0.1',
    });
    onTestFinished(() => broker.close());
    const producer = producerTo(undefined, {
      lookupdHttpAddresses: `http://${lookupd.httpAddress}`,
      lookupdPollInterval: 10,
    });
    await producer.publish('t', 'found');
  });
});
