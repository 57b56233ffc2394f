import { describe, expect, it } from 'vitest';
import type { Durability } from '../../src/broker/settings.js';
import { openBroker, restart } from './support/brokers.js';
import { consume, numbered, subscribe } from './support/clients.js';

describe('publish', () => {
  it.each<[string, unknown, string[]]>([
    ['text', 'Grüße', ['Grüße']],
    ['a Buffer', Buffer.from('abc'), ['abc']],
    ['a part of an array', new Uint8Array(Buffer.from('xabcx')).subarray(1, 4), ['abc']],
    ['several', ['a', Buffer.from('b'), new Uint8Array([0x63])], ['a', 'b', 'c']],
    ['one in a list', ['a'], ['a']],
    ['none', [], []],
  ])('takes %s', async (_what, body, wanted) => {
    const broker = await openBroker();
    await broker.publish('t', body as string);
    await broker.publish('t', 'end');
    const client = await subscribe(broker, 't', 'c', { ready: 5 });
    expect(await consume(client, wanted.length + 1)).toEqual([...wanted, 'end']);
  });

  it('keeps a copy of what it is given', async () => {
    const broker = await openBroker();
    const body = Buffer.from('abc');
    const done = broker.publish('t', body);
    body.fill('x');
    await done;
    const client = await subscribe(broker, 't', 'c', { ready: 5 });
    expect(await consume(client, 1)).toEqual(['abc']);
  });

  it.each<[string, unknown, object | undefined]>([
    ['', 'a', undefined],
    ['bad name', 'a', undefined],
    ['t', '', undefined],
    ['t', ['a', ''], undefined],
    ['t', 'x'.repeat(1001), undefined],
    ['t', 'a', { deferMs: -1 }],
    ['t', 'a', { deferMs: Number.NaN }],
    ['t', 'a', { deferMs: 3_600_001 }],
  ])('to %j of %j with %j is refused, and nothing is kept', async (topic, body, options) => {
    const broker = await openBroker({ maxMsgSize: 1000 });
    await expect(broker.publish(topic, body as string, options ?? {})).rejects.toMatchObject({
      code: 'E_OPTION',
    });
    expect(broker.topics.get('t')?.messageCount ?? 0).toBe(0);
  });

  it('keeps the order of what is published at the same time', async () => {
    const broker = await openBroker();
    await Promise.all(numbered(200).map((body) => broker.publish('t', body)));
    const client = await subscribe(broker, 't', 'c', { ready: 50 });
    expect(await consume(client, 200)).toEqual(numbered(200));
  });

  it.each<Durability>(['os', 'fsync', 'memory'])(
    'is durable over a stop with durability %s',
    async (durability) => {
      const broker = await openBroker({ durability });
      await Promise.all(numbered(20).map((body) => broker.publish('t', body)));
      const last = broker.publish('t', 'last');
      const [next] = await Promise.all([restart(broker), last]);
      const client = await subscribe(next, 't', 'c', { ready: 50 });
      expect(await consume(client, 21)).toEqual([...numbered(20), 'last']);
    },
  );

  it('says so when the broker is closed, and keeps no silence about what is lost', async () => {
    const broker = await openBroker();
    await broker.publish('t', 'a');
    await broker.close();
    await expect(broker.publish('t', 'b')).rejects.toMatchObject({ code: 'E_CLOSING' });
    await expect(broker.publish('new', 'b')).rejects.toMatchObject({ code: 'E_CLOSING' });
  });
});
