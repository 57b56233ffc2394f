import { AsyncLocalStorage } from 'node:async_hooks';
import { subscribe, tracingChannel, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { ClientReport, ConsumeContext, PublishContext } from '../../src/client/diagnostics.js';
import { failure, producerTo, subscribed, take } from './support/clients.js';
import { fakeNsqd, messageId } from './support/fake-nsqd.js';
import { settled } from './support/script.js';

/** Collects what is published on a client's event channels. */
function reports(client: 'consumer' | 'producer', ...events: string[]): ClientReport[] {
  const collected: ClientReport[] = [];
  const collect = (report: unknown): void => {
    collected.push(report as ClientReport);
  };
  for (const event of events) subscribe(`nsq:${client}:${event}`, collect);
  onTestFinished(() => {
    for (const event of events) unsubscribe(`nsq:${client}:${event}`, collect);
  });
  return collected;
}

/** Collects what is published on a tracing channel, each with the event's name. */
function traces<Context extends object>(name: string): [string, Context][] {
  const collected: [string, Context][] = [];
  const collect = (event: string) => (context: unknown) => {
    collected.push([event, { ...(context as Context) }]);
  };
  const subscribers = {
    start: collect('start'),
    end: collect('end'),
    asyncStart: collect('asyncStart'),
    asyncEnd: collect('asyncEnd'),
    error: collect('error'),
  };
  const channel = tracingChannel<unknown, Context>(name);
  channel.subscribe(subscribers);
  onTestFinished(() => {
    channel.unsubscribe(subscribers);
  });
  return collected;
}

describe('events', () => {
  it('are emitted for all that happens to connections and messages', async () => {
    const { consumer, peer } = await subscribed({ maxAttempts: 1, requeueDelay: 5 });
    const events: unknown[] = [];
    consumer.on('rdy', (address, count) => events.push(['rdy', address, count]));
    consumer.on('backoff', (level, delay) => events.push(['backoff', level, delay]));
    consumer.on('finish', (message) => events.push(['finish', message.text()]));
    consumer.on('requeue', (message, delay) => events.push(['requeue', message.text(), delay]));
    consumer.on('giveUp', (message) => events.push(['giveUp', message.text()]));
    peer.message([1, 'a'], [2, 'b'], [3, 'c', 2], [4, 'd']);
    const [a, b] = await take(consumer, 3);
    a?.finish();
    b?.requeue();
    await settled(peer);
    const { address } = peer.socket.address() as { address: string };
    expect(events).toEqual([
      ['giveUp', 'c'],
      ['finish', 'c'],
      ['finish', 'a'],
      ['rdy', `${address}:${peer.socket.localPort}`, 0],
      ['backoff', 1, 2000],
      ['requeue', 'b', 5],
    ]);
  });

  it('go to diagnostics channels, without a listener', async () => {
    const collected = reports('consumer', 'connect', 'rdy', 'finish', 'timeout', 'disconnect');
    const { nsqd, consumer, peer } = await subscribed({}, { identify: { msg_timeout: 20 } });
    peer.message([1, 'a'], [2, 'late']);
    const [a] = await take(consumer, 2);
    a?.finish();
    while (collected.length < 4) await new Promise(setImmediate);
    await consumer.close({ timeout: 0 });
    expect(collected.every(({ client }) => client === consumer)).toBe(true);
    expect(collected.map(({ event, args }) => [event, args.length])).toEqual([
      ['connect', 1],
      ['rdy', 2],
      ['finish', 1],
      ['timeout', 1],
      ['rdy', 2],
      ['disconnect', 2],
    ]);
    expect(collected[0]?.args).toEqual([nsqd.address]);
  });

  it('of producers too', async () => {
    const collected = reports('producer', 'connect');
    const producer = producerTo((await fakeNsqd()).address);
    await producer.connect();
    expect(collected).toEqual([{ client: producer, event: 'connect', args: [expect.any(String)] }]);
  });
});

describe('tracing of handlers', () => {
  it('spans each, sync or async, well or not, and leaves its outcome as it is', async () => {
    const collected = traces<ConsumeContext>('nsq:consume');
    const { consumer, peer } = await subscribed({ maxBackoffDuration: 0, requeueDelay: 0 });
    const bad = new Error('bad');
    void consumer.run((message) => {
      if (message.text() === 'throws') throw bad;
      if (message.text() === 'rejects') return Promise.reject(bad);
      return message.text() === 'resolves' ? Promise.resolve() : undefined;
    });
    for (const [id, body] of ['returns', 'resolves', 'throws', 'rejects'].entries()) {
      peer.message([id + 1, body]);
      await settled(peer);
    }
    await peer.until(() => peer.count('FIN') === 2 && peer.count('REQ') === 2);
    const ofBody = (body: string): unknown[] =>
      collected
        .filter(([, { message }]) => message.text() === body)
        .map(([event, { error }]) => [event, error]);
    for (const body of ['returns', 'resolves'])
      expect(ofBody(body).map((one) => (one as unknown[])[0])).toEqual([
        'start',
        'end',
        'asyncStart',
        'asyncEnd',
      ]);
    for (const body of ['throws', 'rejects']) expect(ofBody(body)).toContainEqual(['error', bad]);
  });

  it('makes a store current within the handler, as context propagation wants it', async () => {
    const storage = new AsyncLocalStorage<string>();
    const { start } = tracingChannel<string, ConsumeContext>('nsq:consume');
    start.bindStore(storage, ({ message }) => `span of ${message.id}`);
    onTestFinished(() => {
      start.unbindStore(storage);
    });
    const { consumer, peer } = await subscribed();
    const seen: unknown[] = [];
    void consumer.run(async () => {
      await new Promise(setImmediate);
      seen.push(storage.getStore());
    });
    peer.message([1, 'a']);
    await peer.next('FIN');
    expect(seen).toEqual(['span of 0000000000000001']);
  });
});

describe('tracing of loops', () => {
  it('spans each message until it is answered, timed out, or its connection lost', async () => {
    const collected = traces<ConsumeContext>('nsq:consume');
    const { consumer, peer } = await subscribed(
      { maxBackoffDuration: 0, requeueDelay: 0 },
      { identify: { msg_timeout: 50 } },
    );
    const ofId = (id: number): unknown[] =>
      collected
        .filter(([, { message }]) => message.id === messageId(id))
        .map(([event, { outcome, error }]) =>
          [event, outcome, (error as { code?: string })?.code].filter((one) => one !== undefined).join(' '),
        );
    peer.message([1, 'a'], [2, 'b'], [3, 'given up', 9], [4, 'late']);
    const [a, b, late] = await take(consumer, 3);
    expect([ofId(1), ofId(2), ofId(4)]).toEqual(Array(3).fill(['start', 'end']));
    a?.finish();
    b?.requeue();
    b?.finish();
    const answered = (outcome: string): string[] => [
      'start',
      'end',
      `asyncStart ${outcome}`,
      `asyncEnd ${outcome}`,
    ];
    expect([ofId(1), ofId(2), ofId(3)]).toEqual([answered('finish'), answered('requeue'), []]);
    const failed = (code: string): string[] => [
      'start',
      'end',
      `error ${code}`,
      `asyncStart ${code}`,
      `asyncEnd ${code}`,
    ];
    while (ofId(4).length < 5) await new Promise(setImmediate);
    late?.finish();
    expect(ofId(4)).toEqual(failed('E_TIMEOUT'));
    peer.message([5, 'lost']);
    const [lost] = await take(consumer, 1);
    peer.cut();
    await once(consumer, 'disconnect');
    lost?.finish();
    expect(ofId(5)).toEqual(failed('E_CONNECTION_LOST'));
  });

  it('begins when the loop gets the message, with what is bound to it', async () => {
    const { start } = tracingChannel<string, ConsumeContext>('nsq:consume');
    const storage = new AsyncLocalStorage<string>();
    const begun: string[] = [];
    start.bindStore(storage, ({ message }) => {
      begun.push(message.text());
      return '';
    });
    onTestFinished(() => {
      start.unbindStore(storage);
    });
    const { consumer, peer } = await subscribed();
    peer.message([1, 'first'], [2, 'second']);
    await settled(peer);
    expect(begun).toEqual([]);
    await take(consumer, 1);
    expect(begun).toEqual(['first']);
  });
});

describe('tracing of publishes', () => {
  it('spans each until its outcome', async () => {
    const collected = traces<PublishContext>('nsq:publish');
    const producer = producerTo((await fakeNsqd()).address);
    await producer.publish('t', 'one');
    await producer.publishBatch('t', ['two', Buffer.from('three')]);
    await producer.publishDeferred('t', 'four', 500);
    const refused = await failure(producer.publish('no topic', 'five'));
    const starts = collected.filter(([event]) => event === 'start').map(([, context]) => context);
    expect(starts).toEqual([
      { topic: 't', bodies: ['one'] },
      { topic: 't', bodies: ['two', Buffer.from('three')] },
      { topic: 't', bodies: ['four'], delay: 500 },
      { topic: 'no topic', bodies: ['five'] },
    ]);
    expect(collected.filter(([event]) => event === 'asyncEnd')).toHaveLength(4);
    expect(collected.find(([event]) => event === 'error')?.[1].error).toBe(refused);
  });
});
