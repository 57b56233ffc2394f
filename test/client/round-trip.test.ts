import { describe, expect, it, onTestFinished } from 'vitest';
import { startBroker } from '../../src/broker/index.js';
import type { Message } from '../../src/client/index.js';
import { consumerOf, failure, producerTo, take } from './support/clients.js';

async function broker(): Promise<string> {
  const started = await startBroker({ httpAddress: '' });
  onTestFinished(() => started.close());
  return started.tcpAddress;
}

const texts = (messages: readonly Message[]): string[] => messages.map((message) => message.text());

describe('client and broker', () => {
  it('publish one by one, as a batch and deferred; consume, requeue, touch and finish', async () => {
    const address = await broker();
    const producer = producerTo(address);
    const consumer = consumerOf(address, { maxInFlight: 10 });
    await consumer.connect();
    await producer.publish('topic', 'one');
    await producer.publishBatch('topic', ['two', Buffer.from('three')]);
    await producer.publishDeferred('topic', 'later', 50);
    const messages = await take(consumer, 4);
    expect(texts(messages)).toEqual(['one', 'two', 'three', 'later']);
    const [one, ...others] = messages;
    one?.touch();
    one?.requeue({ delay: 0 });
    for (const message of others) message.finish();
    const [again] = await take(consumer, 1);
    expect([again?.text(), again?.attempts, again?.id]).toEqual(['one', 2, one?.id]);
    again?.finish();
    await consumer.close();

    const next = consumerOf(address);
    await next.connect();
    await producer.publish('topic', 'nothing came before me');
    expect(texts(await take(next, 1))).toEqual(['nothing came before me']);
  });

  it('carry every message once, many at a time, in order', async () => {
    const address = await broker();
    const producer = producerTo(address);
    const consumer = consumerOf(address, { maxInFlight: 500 });
    await consumer.connect();
    const all = Array.from({ length: 5000 }, (_, n) => `${n}`);
    const seen: string[] = [];
    const done = new Promise<void>((resolve) => {
      void consumer.run((message) => {
        if (seen.push(message.text()) === all.length) resolve();
      });
    });
    await Promise.all(all.map((body) => producer.publish('topic', body)));
    await done;
    expect(seen).toEqual(all);
  });

  it('give what a closing consumer holds to the next one at once', async () => {
    const address = await broker();
    const producer = producerTo(address);
    const first = consumerOf(address, { maxInFlight: 10 });
    await first.connect();
    await producer.publishBatch('topic', ['held', 'waiting']);
    const [held] = await take(first, 1);
    await first.close({ timeout: 0 });
    held?.finish();
    const second = consumerOf(address, { maxInFlight: 10 });
    expect(texts(await take(second, 2)).sort()).toEqual(['held', 'waiting']);
  });

  it('go on over a restart of the broker', async () => {
    const started = await startBroker({ httpAddress: '' });
    onTestFinished(() => started.close());
    const producer = producerTo(started.tcpAddress);
    const consumer = consumerOf(started.tcpAddress);
    await consumer.connect();
    await producer.publish('topic', 'before');
    for (const message of await take(consumer, 1)) message.finish();
    await started.close();

    const call = producer.publish('topic', 'after');
    const again = await startBroker({ httpAddress: '', tcpAddress: started.tcpAddress });
    onTestFinished(() => again.close());
    await call;
    expect(texts(await take(consumer, 1))).toEqual(['after']);
  });

  it('say what is wrong: a message too big, an answer too late', async () => {
    const started = await startBroker({ httpAddress: '', maxMsgSize: 100, msgTimeout: 50 });
    onTestFinished(() => started.close());
    const producer = producerTo(started.tcpAddress);
    const [big, fine] = [
      failure(producer.publish('topic', 'x'.repeat(101))),
      producer.publish('topic', 'fine'),
    ];
    expect(await big).toMatchObject({ name: 'PublishError', code: 'E_BAD_MESSAGE', mayHaveArrived: false });
    await fine;
    const consumer = consumerOf(started.tcpAddress);
    const refused = new Promise<{ code: string }>((resolve) => consumer.once('refused', resolve));
    const [late] = await take(consumer, 1);
    const [again] = await take(consumer, 1);
    expect(again?.id).toBe(late?.id);
    again?.finish();
    late?.finish();
    expect((await refused).code).toBe('E_FIN_FAILED');
  });
});
