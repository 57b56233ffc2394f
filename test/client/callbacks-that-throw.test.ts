import { describe, expect, it, onTestFinished } from 'vitest';
import { producerTo, subscribed, until } from './support/clients.js';
import { fakeNsqd } from './support/fake-nsqd.js';
import { failingAtBad, settled } from './support/script.js';

/** Collects what is thrown uncaught, in place of who else listens for it. */
function uncaught(): string[] {
  const errors: string[] = [];
  for (const event of ['uncaughtException', 'unhandledRejection'] as const) {
    const others = process.listeners(event as 'uncaughtException');
    const collect = (error: Error): void => void errors.push(`${event} ${error.message}`);
    process.removeAllListeners(event);
    process.on(event, collect);
    onTestFinished(() => {
      process.off(event, collect);
      for (const other of others) process.on(event as 'uncaughtException', other);
    });
  }
  return errors;
}

const boom = (words: string) => (): never => {
  throw new Error(words);
};

describe('callbacks that throw are uncaught exceptions, and leave the client as it is', () => {
  it.each(['rdy', 'finish', 'requeue', 'handlerError', 'backoff'] as const)(
    'a listener of %s',
    async (event) => {
      const errors = uncaught();
      const { nsqd, consumer, peer } = await subscribed({ backoffMultiplier: 0, requeueDelay: 0 });
      consumer.on(event, boom(event));
      void consumer.run(failingAtBad);
      peer.message([1, 'good'], [2, 'bad'], [3, 'good'], [4, 'good']);
      await peer.until(() => peer.count('FIN') === 3 && peer.count('REQ') === 1);
      if (event === 'rdy') consumer.changeMaxInFlight(3);
      await settled(peer);
      await until(() => errors.length > 0);
      expect(new Set(errors)).toEqual(new Set([`uncaughtException ${event}`]));
      expect([nsqd.peers.length, consumer.stats().messagesInFlight]).toEqual([1, 0]);
    },
  );

  it('a listener of connect: connect() resolves', async () => {
    const errors = uncaught();
    const producer = producerTo((await fakeNsqd()).address);
    producer.on('connect', boom('connect'));
    await producer.connect();
    await producer.publish('t', 'goes on');
    expect(errors).toEqual(['uncaughtException connect']);
  });

  it('a backoff strategy', async () => {
    const errors = uncaught();
    const { consumer, peer } = await subscribed({ backoffStrategy: boom('strategy') });
    void consumer.run(async (message) => failingAtBad(message));
    peer.message([1, 'bad'], [2, 'good']);
    await peer.until(() => peer.count('FIN') === 1 && peer.count('REQ') === 1);
    await until(() => errors.length > 0);
    expect(new Set(errors)).toEqual(new Set(['uncaughtException strategy']));
  });
});
