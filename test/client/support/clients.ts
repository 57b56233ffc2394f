import { onTestFinished } from 'vitest';
import { Consumer } from '../../../src/client/consumer.js';
import type { Message } from '../../../src/client/message.js';
import type { ConsumerOptions, ProducerOptions } from '../../../src/client/options.js';
import { Producer } from '../../../src/client/producer.js';
import { type FakeOptions, fakeNsqd } from './fake-nsqd.js';

/** Delays short enough for a test. */
const QUICK = { reconnectDelay: 5, maxReconnectDelay: 20 };

/** A producer that is closed when the test is over. */
export function producerTo(
  nsqdTcpAddress: string | readonly string[] | undefined,
  options: ProducerOptions = {},
): Producer {
  const producer = new Producer({ ...QUICK, nsqdTcpAddress, ...options });
  onTestFinished(() => producer.close({ timeout: 0 }));
  return producer;
}

/** A consumer that is closed when the test is over. */
export function consumerOf(
  nsqdTcpAddresses: string | readonly string[],
  options: Partial<ConsumerOptions> = {},
): Consumer {
  const consumer = new Consumer({
    ...QUICK,
    topic: 'topic',
    channel: 'channel',
    nsqdTcpAddresses,
    ...options,
  });
  onTestFinished(() => consumer.close({ timeout: 0 }));
  return consumer;
}

/** The error a promise is rejected with. */
export async function failure(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error('expected a rejection');
}

/** Resolves when `test` holds, looked at once per turn of the event loop. */
export async function until(test: () => boolean): Promise<void> {
  while (!test()) await new Promise(setImmediate);
}

/** A promise to be resolved from outside. */
export function deferred(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolve: () => void = () => undefined;
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}

/** A consumer subscribed at a fake nsqd, and the fake's side of the connection. */
export async function subscribed(options: Partial<ConsumerOptions> = {}, fake: FakeOptions = {}) {
  const nsqd = await fakeNsqd(fake);
  const consumer = consumerOf(nsqd.address, { maxInFlight: 10, ...options });
  await consumer.connect();
  const peer = await nsqd.peer();
  return { nsqd, consumer, peer };
}

/** Takes `count` messages off the consumer. */
export async function take(consumer: AsyncIterable<Message>, count: number): Promise<Message[]> {
  const taken: Message[] = [];
  for await (const message of consumer) {
    taken.push(message);
    if (taken.length === count) break;
  }
  return taken;
}
