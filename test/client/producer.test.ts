import { setMaxListeners } from 'node:events';
import { describe, expect, it } from 'vitest';
import { type ConnectionError, PublishError } from '../../src/client/errors.js';
import { failure, producerTo, until } from './support/clients.js';
import { cut, deadAddress, fakeNsqd, silent } from './support/fake-nsqd.js';

const bodyOf = (command: { readonly body: Buffer }): string => command.body.toString();

describe('Producer', () => {
  it('connects with the first call and publishes text and bytes', async () => {
    const nsqd = await fakeNsqd();
    const producer = producerTo(nsqd.address);
    expect(nsqd.peers).toHaveLength(0);
    await producer.publish('topic', 'text');
    await producer.publish('topic', new Uint8Array([1, 2]));
    await producer.publishBatch('topic', ['a', Buffer.from('bc')]);
    await producer.publishDeferred('topic', 'later', 1500);
    const peer = await nsqd.peer();
    expect(peer.commands.slice(1).map((one) => [one.name, ...one.params])).toEqual([
      ['PUB', 'topic'],
      ['PUB', 'topic'],
      ['MPUB', 'topic'],
      ['DPUB', 'topic', '1500'],
    ]);
    expect(peer.commands[2]?.body).toEqual(Buffer.from([1, 2]));
    expect(peer.commands[3]?.body.toString('latin1')).toBe('\0\0\0\x02\0\0\0\x01a\0\0\0\x02bc');
  });

  it('leaves the body alone: it is the callers again when publish returns', async () => {
    const nsqd = await fakeNsqd();
    const producer = producerTo(nsqd.address);
    const body = Buffer.from('before');
    const published = producer.publish('topic', body);
    body.fill('!');
    await published;
    expect(bodyOf(await (await nsqd.peer()).next('PUB'))).toBe('before');
  });

  it('sends the calls of a turn in one write, without waiting for answers', async () => {
    const nsqd = await fakeNsqd({ on: { PUB: silent } });
    const producer = producerTo(nsqd.address, { autoBatch: false });
    await producer.connect();
    const peer = await nsqd.peer();
    const before = peer.chunks.length;
    const calls = Array.from({ length: 100 }, (_, n) => producer.publish('topic', `body ${n}`));
    await peer.until(() => peer.count('PUB') === 100);
    expect(peer.chunks.slice(before)).toHaveLength(1);
    expect(producer.pending).toBe(100);
    for (const _call of calls) peer.respond('OK');
    await Promise.all(calls);
    expect(producer.pending).toBe(0);
  });

  it.each([
    ['topic', (p: ReturnType<typeof producerTo>) => p.publish('a b', 'x'), 'E_BAD_TOPIC'],
    ['body', (p: ReturnType<typeof producerTo>) => p.publish('t', ''), 'E_BAD_MESSAGE'],
    ['batch', (p: ReturnType<typeof producerTo>) => p.publishBatch('t', []), 'E_BAD_BODY'],
    ['delay', (p: ReturnType<typeof producerTo>) => p.publishDeferred('t', 'x', -1), 'E_INVALID'],
  ])('refuses a wrong %s itself', async (_what, call, code) => {
    const nsqd = await fakeNsqd();
    const error = await failure(call(producerTo(nsqd.address)));
    expect(error).toBeInstanceOf(PublishError);
    expect(error).toMatchObject({ code, mayHaveArrived: false });
    expect(nsqd.peers).toHaveLength(0);
  });

  it.each([
    ['an object as a body', { id: 1 }, 'E_BAD_MESSAGE', /string or bytes, not an object: use JSON/],
    ['a number as a body', 7, 'E_BAD_MESSAGE', /string or bytes, not 7/],
    ['no body', undefined, 'E_BAD_MESSAGE', /not undefined/],
  ])('refuses %s, which a caller without types may pass', async (_what, body, code, message) => {
    const producer = producerTo('127.0.0.1:1');
    for (const call of [producer.publish('t', body as never), producer.publishBatch('t', [body as never])]) {
      expect(await failure(call)).toMatchObject({
        name: 'PublishError',
        code,
        message: expect.stringMatching(message),
      });
    }
    expect(await failure(producer.publishBatch('t', 'abc' as never))).toMatchObject({ code: 'E_BAD_BODY' });
    expect(await failure(producer.publish(undefined as never, 'x'))).toMatchObject({ code: 'E_BAD_TOPIC' });
    for (const timeout of [-1, Number.NaN, '5' as never]) {
      expect(await failure(producer.publish('t', 'x', { timeout }))).toMatchObject({ code: 'E_OPTION' });
    }
    expect(producer.pending).toBe(0);
  });

  it('connect() says so when nobody listens', async () => {
    const address = await deadAddress();
    const error = (await failure(producerTo(address).connect())) as ConnectionError;
    expect(error).toMatchObject({ name: 'ConnectionError', code: 'E_CONNECT', address });
    const both = await failure(producerTo([address, await deadAddress()]).connect());
    expect(both).toMatchObject({ code: 'E_CONNECT', cause: { errors: [{ address }, {}] } });
  });

  it('connect() resolves when one of several is there', async () => {
    const nsqd = await fakeNsqd();
    await producerTo([await deadAddress(), nsqd.address]).connect();
  });
});

describe('Producer: broker errors', () => {
  it('fails the refused call with the brokers code, and publishes those behind it again, in order', async () => {
    const nsqd = await fakeNsqd({
      on: {
        PUB: (peer, command) => {
          if (bodyOf(command) === 'bad') peer.error('E_BAD_MESSAGE PUB message too big');
          else if (peer.count('PUB') === 1 || !peer.commands.some((one) => bodyOf(one) === 'bad'))
            peer.respond('OK');
        },
      },
    });
    const producer = producerTo(nsqd.address, { autoBatch: false });
    const calls = ['one', 'bad', 'two', 'three'].map((body) => producer.publish('topic', body));
    expect(await failure(calls[1] as Promise<void>)).toMatchObject({
      name: 'PublishError',
      code: 'E_BAD_MESSAGE',
      mayHaveArrived: false,
      cause: { name: 'BrokerError', code: 'E_BAD_MESSAGE' },
    });
    await Promise.all([calls[0], calls[2], calls[3]]);
    const again = nsqd.peers[1];
    expect(again?.commands.slice(1).map(bodyOf)).toEqual(['two', 'three']);
  });

  it.each([
    ['E_PUB_FAILED PUB failed', true],
    ['E_NEWER than this library', true],
    ['E_BAD_TOPIC PUB topic', false],
    ['E_UNAUTHORIZED', false],
  ])('%s: may have arrived = %s', async (line, mayHaveArrived) => {
    const nsqd = await fakeNsqd({ on: { PUB: (peer) => peer.error(line) } });
    const error = await failure(producerTo(nsqd.address).publish('t', 'x'));
    expect(error).toMatchObject({ code: line.split(' ')[0], mayHaveArrived });
  });

  it('takes no other answer for OK', async () => {
    const nsqd = await fakeNsqd({ on: { PUB: (peer) => peer.respond('KO') } });
    expect(await failure(producerTo(nsqd.address).publish('t', 'x'))).toMatchObject({ code: 'E_PROTOCOL' });
  });
});

describe('Producer: lost connections', () => {
  it('fails what was sent and not answered, as possibly arrived', async () => {
    const nsqd = await fakeNsqd({ on: { PUB: (peer) => peer.count('PUB') === 2 && peer.cut() } });
    const producer = producerTo(nsqd.address, { autoBatch: false });
    const calls = ['a', 'b'].map((body) => failure(producer.publish('t', body)));
    for (const error of await Promise.all(calls)) {
      expect(error).toMatchObject({ code: 'E_CONNECTION_LOST', mayHaveArrived: true });
    }
  });

  it('connects again and goes on', async () => {
    const nsqd = await fakeNsqd();
    const producer = producerTo(nsqd.address);
    const events: string[] = [];
    producer.on('connect', () => events.push('connect'));
    producer.on('disconnect', (_address, error) => events.push(`disconnect ${error.code}`));
    producer.on('retry', (_address, _error, delay) => events.push(delay > 0 ? 'retry' : 'retry at once'));
    await producer.publish('t', 'a');
    (await nsqd.peer()).cut();
    await until(() => events.includes('retry'));
    await producer.publish('t', 'b');
    expect(events).toEqual(['connect', 'disconnect E_CONNECTION_LOST', 'retry', 'connect']);
    expect(nsqd.peers).toHaveLength(2);
  });

  it('keeps calls until a broker is there', async () => {
    const nsqd = await fakeNsqd();
    await nsqd.stop();
    const producer = producerTo(nsqd.address, { autoBatch: false });
    const calls = ['a', 'b', 'c'].map((body) => producer.publish('t', body));
    await new Promise((resolve) => producer.once('retry', resolve));
    const later = await fakeNsqd({ port: nsqd.port });
    await Promise.all(calls);
    expect(later.peers[0]?.commands.slice(1).map(bodyOf)).toEqual(['a', 'b', 'c']);
  });

  it('settles every call, once, under connections cut at random', async () => {
    let count = 0;
    const nsqd = await fakeNsqd({
      on: {
        PUB: (peer) => {
          count++;
          if (count % 37 === 0) peer.cut();
          else peer.respond('OK');
        },
      },
    });
    const producer = producerTo(nsqd.address, { autoBatch: false, reconnectDelay: 1, maxReconnectDelay: 2 });
    const outcomes = { ok: 0, unsure: 0 };
    const worker = async () => {
      for (let n = 0; n < 20; n++) {
        await producer.publish('t', 'x').then(
          () => outcomes.ok++,
          (error: PublishError) => {
            expect(error).toMatchObject({ code: 'E_CONNECTION_LOST', mayHaveArrived: true });
            outcomes.unsure++;
          },
        );
      }
    };
    await Promise.all(Array.from({ length: 25 }, worker));
    expect(outcomes.ok + outcomes.unsure).toBe(500);
    expect(outcomes.ok).toBeGreaterThan(0);
    expect(producer.pending).toBe(0);
  });
});

describe('Producer: several brokers', () => {
  it('takes them in turn', async () => {
    const [a, b] = [await fakeNsqd(), await fakeNsqd()];
    const producer = producerTo([a.address, b.address]);
    await producer.publish('t', 'x');
    await until(() => a.peers[0]?.count('IDENTIFY') === 1 && b.peers[0]?.count('IDENTIFY') === 1);
    for (let n = 0; n < 20; n++) await producer.publish('t', 'x');
    expect((a.peers[0]?.count('PUB') ?? 0) + (b.peers[0]?.count('PUB') ?? 0)).toBe(21);
    expect(Math.min(a.peers[0]?.count('PUB') ?? 0, b.peers[0]?.count('PUB') ?? 0)).toBeGreaterThan(5);
  });

  it('goes on with those that are left', async () => {
    const [a, b] = [await fakeNsqd(), await fakeNsqd()];
    const producer = producerTo([a.address, b.address]);
    const up = new Set<string>();
    producer.on('connect', (address) => up.add(address));
    await producer.connect();
    await until(() => up.size === 2);
    const down = new Promise((resolve) => producer.once('disconnect', resolve));
    await a.stop();
    await down;
    for (let n = 0; n < 10; n++) await producer.publish('t', 'x');
    expect(b.peers[0]?.count('PUB')).toBe(10);
  });
});

describe('Producer: time-outs and signals', () => {
  it('gives up a call without an answer: it may have arrived', async () => {
    const nsqd = await fakeNsqd({ on: { PUB: silent } });
    const producer = producerTo(nsqd.address, { autoBatch: false, publishTimeout: 100 });
    await producer.connect();
    const errors = await Promise.all([
      failure(producer.publish('t', 'x')),
      failure(producer.publish('t', 'y', { timeout: 50 })),
    ]);
    for (const error of errors) expect(error).toMatchObject({ code: 'E_TIMEOUT', mayHaveArrived: true });
    const peer = await nsqd.peer();
    peer.respond('OK');
    peer.respond('OK');
    const third = producer.publish('t', 'z');
    await peer.until(() => peer.count('PUB') === 3);
    peer.respond('OK');
    await third;
  });

  it('gives up a call without a connection: it has not arrived, and the error says why', async () => {
    const producer = producerTo(await deadAddress());
    const error = await failure(producer.publish('t', 'x', { timeout: 50 }));
    expect(error).toMatchObject({ code: 'E_TIMEOUT', mayHaveArrived: false, cause: { code: 'E_CONNECT' } });
  });

  it('keeps nothing of calls given up while no broker is there', async () => {
    const nsqd = await fakeNsqd();
    await nsqd.stop();
    const producer = producerTo(nsqd.address);
    const abort = new AbortController();
    setMaxListeners(0, abort.signal);
    const calls = Array.from({ length: 3000 }, () =>
      failure(producer.publish('t', 'gone', { signal: abort.signal })),
    );
    const kept = producer.publish('t', 'kept');
    abort.abort();
    await Promise.all(calls);
    expect(producer.pending).toBe(1);
    const later = await fakeNsqd({ port: nsqd.port });
    await kept;
    expect(later.peers[0]?.commands.slice(1).map(bodyOf)).toEqual(['kept']);
  });

  it('refuses what is no signal, and holds nothing of the call', async () => {
    const producer = producerTo((await fakeNsqd()).address);
    for (const signal of [{}, new AbortController(), null]) {
      const refused = await failure(producer.publish('t', 'x', { signal: signal as AbortSignal }));
      expect(refused).toMatchObject({ code: 'E_OPTION', message: 'signal must be an AbortSignal' });
    }
    expect(producer.pending).toBe(0);
  });

  it('gives up an aborted call, with the signals reason', async () => {
    const nsqd = await fakeNsqd({ on: { PUB: silent } });
    const producer = producerTo(nsqd.address);
    await producer.connect();
    const abort = new AbortController();
    const call = failure(producer.publish('t', 'x', { signal: abort.signal }));
    await (await nsqd.peer()).next('PUB');
    const reason = new Error('enough');
    abort.abort(reason);
    expect(await call).toMatchObject({ code: 'E_ABORTED', mayHaveArrived: true, cause: reason });
    const late = await failure(producer.publish('t', 'x', { signal: abort.signal }));
    expect(late).toMatchObject({ code: 'E_ABORTED', mayHaveArrived: false, cause: reason });
  });
});

describe('Producer: bounds', () => {
  it('refuses calls beyond its bounds, and says when there is room', async () => {
    const nsqd = await fakeNsqd({ on: { PUB: silent } });
    const producer = producerTo(nsqd.address, { autoBatch: false, maxPending: 4 });
    await producer.ready();
    const calls = Array.from({ length: 4 }, () => producer.publish('t', 'x'));
    const refused = await failure(producer.publish('t', 'x'));
    expect(refused).toMatchObject({ code: 'E_QUEUE_FULL', mayHaveArrived: false });
    let room = false;
    const ready = producer.ready().then(() => {
      room = true;
    });
    const peer = await nsqd.peer();
    await peer.until(() => peer.count('PUB') === 4);
    peer.respond('OK');
    await calls[0];
    expect(room).toBe(false);
    peer.respond('OK');
    await ready;
    expect(producer.pending).toBe(2);
    peer.respond('OK');
    peer.respond('OK');
    await Promise.all(calls);
  });

  it('bounds bytes too, but takes a single large message', async () => {
    const nsqd = await fakeNsqd({ on: { PUB: silent } });
    const producer = producerTo(nsqd.address, { maxPendingBytes: 1000 });
    const large = producer.publish('t', 'x'.repeat(5000));
    expect(await failure(producer.publish('t', 'x'))).toMatchObject({ code: 'E_QUEUE_FULL' });
    const peer = await nsqd.peer();
    await peer.next('PUB');
    peer.respond('OK');
    await large;
  });

  it('holds back while the broker does not read, and loses nothing', async () => {
    const nsqd = await fakeNsqd();
    const producer = producerTo(nsqd.address);
    await producer.connect();
    const peer = await nsqd.peer();
    await peer.next('IDENTIFY');
    peer.socket.pause();
    const body = Buffer.alloc(200_000, 'x');
    const calls = Array.from({ length: 60 }, () => producer.publish('t', body));
    await new Promise(setImmediate);
    peer.socket.resume();
    await Promise.all(calls);
    expect(peer.count('PUB')).toBe(60);
  });
});

describe('Producer: close', () => {
  it('waits for what is under way and takes no more', async () => {
    const nsqd = await fakeNsqd({ on: { PUB: silent } });
    const producer = producerTo(nsqd.address);
    const call = producer.publish('t', 'x');
    const peer = await nsqd.peer();
    await peer.next('PUB');
    const closed = producer.close();
    expect(await failure(producer.publish('t', 'y'))).toMatchObject({
      code: 'E_CLOSED',
      mayHaveArrived: false,
    });
    peer.respond('OK');
    await call;
    await closed;
    await peer.closed();
    await producer.close();
    expect(await failure(producer.connect())).toMatchObject({ code: 'E_CLOSED' });
  });

  it('fails what has no outcome in time', async () => {
    const nsqd = await fakeNsqd({ on: { PUB: silent } });
    const producer = producerTo(nsqd.address);
    const call = failure(producer.publish('t', 'x'));
    await (await nsqd.peer()).next('PUB');
    await producer.close({ timeout: 10 });
    expect(await call).toMatchObject({ code: 'E_CLOSED', mayHaveArrived: true });
  });

  it('is quick when nothing was ever sent, or nobody listens', async () => {
    await producerTo(await deadAddress()).close();
    const producer = producerTo(await deadAddress());
    const call = failure(producer.publish('t', 'x'));
    await producer.close({ timeout: 0 });
    expect(await call).toMatchObject({ code: 'E_CLOSED', mayHaveArrived: false });
  });

  it('closes at the end of an `await using` block', async () => {
    const nsqd = await fakeNsqd({ on: { PUB: cut } });
    {
      await using producer = producerTo(nsqd.address);
      await failure(producer.publish('t', 'x'));
    }
    await (await nsqd.peer()).closed();
  });
});
