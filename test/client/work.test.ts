import { once } from 'node:events';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startBroker } from '../../src/broker/index.js';
import { consumerOf, deferred, producerTo, take, until } from './support/clients.js';

async function broker(options: Parameters<typeof startBroker>[0] = {}): Promise<string> {
  const started = await startBroker({ httpAddress: '', ...options });
  onTestFinished(() => started.close());
  return started.tcpAddress;
}

describe('working on messages of a broker', () => {
  it('gives up what fails for good, to the dead letters, and goes on with the rest', async () => {
    const address = await broker();
    const producer = producerTo(address);
    const worker = consumerOf(address, {
      maxInFlight: 10,
      maxAttempts: 3,
      deadLetterTopic: 'dead',
      requeueDelay: 0,
      backoffMultiplier: 1,
    });
    const attempts = new Map<string, number>();
    const done: string[] = [];
    const levels: number[] = [];
    worker.on('backoff', (level) => levels.push(level));
    await worker.connect();
    void worker.run(async (message) => {
      attempts.set(message.text(), message.attempts);
      await new Promise(setImmediate);
      if (message.text() === 'poison') throw new Error('no');
      done.push(message.text());
    });
    await producer.publishBatch('topic', ['poison', ...Array.from({ length: 50 }, (_, n) => `${n}`)]);
    const graveyard = consumerOf(address, { topic: 'dead' });
    const [letter] = await take(graveyard, 1);
    await until(() => done.length === 50);
    expect([letter?.text(), letter?.attempts]).toEqual(['poison', 1]);
    expect(attempts.get('poison')).toBe(3);
    expect(Math.max(...levels)).toBeGreaterThan(0);
    await until(() => worker.stats().backoffLevel === 0 && worker.stats().messagesInFlight === 0);
    expect(worker.stats()).toMatchObject({ messagesFinished: 51, messagesRequeued: 3 });
  });

  it('holds a message for as long as its handler takes, with auto-touch', async () => {
    const address = await broker({ msgTimeout: 100 });
    const gate = deferred();
    const worker = consumerOf(address, { autoTouch: true, maxInFlight: 2 });
    const seen: [string, number][] = [];
    worker.on('timeout', () => expect.unreachable());
    await worker.connect();
    void worker.run(async (message) => {
      seen.push([message.text(), message.attempts]);
      await gate.promise;
    });
    await producerTo(address).publishBatch('topic', ['long', 'waits for it']);
    await new Promise((resolve) => setTimeout(resolve, 450));
    gate.resolve();
    await until(() => worker.stats().messagesFinished === 2);
    expect(seen).toEqual([
      ['long', 1],
      ['waits for it', 1],
    ]);
  });

  it('says when a handler has taken too long, and is none the worse for its answer', async () => {
    const address = await broker({ msgTimeout: 100 });
    const gate = deferred();
    const worker = consumerOf(address);
    const timeout = once(worker, 'timeout');
    const refused = once(worker, 'refused');
    await worker.connect();
    const seen: number[] = [];
    void worker.run(
      async (message) => {
        seen.push(message.attempts);
        if (message.attempts === 1) await gate.promise;
      },
      { concurrency: 2 },
    );
    await producerTo(address).publish('topic', 'slow');
    expect((await timeout)[0]).toMatchObject({ isTimedOut: true, isAnswered: false });
    await until(() => seen.length === 2);
    gate.resolve();
    expect((await refused)[0]).toMatchObject({ code: 'E_FIN_FAILED' });
    expect(seen).toEqual([1, 2]);
  });

  it('never holds more than it may over brokers, and serves each, also when it may hold fewer than there are', async () => {
    const addresses = [await broker(), await broker(), await broker()];
    for (const address of addresses) await producerTo(address).publishBatch('topic', ['a', 'b', 'c']);
    const worker = consumerOf(addresses, {
      maxInFlight: 2,
      rdyRedistributeInterval: 10,
      lowRdyIdleTimeout: 1000,
    });
    await worker.connect();
    let active = 0;
    let most = 0;
    const from = new Set<string>();
    void worker.run(
      async (message) => {
        most = Math.max(most, ++active, worker.stats().messagesInFlight);
        from.add(message.nsqdAddress);
        await new Promise(setImmediate);
        active--;
      },
      { concurrency: 10 },
    );
    await until(() => worker.stats().messagesFinished === 9);
    expect([most, from.size]).toEqual([2, 3]);
  });
});
