import { describe, expect, it } from 'vitest';
import { countsOf, openBroker } from '../support/brokers.js';
import { consume, numbered, settled, subscribe, take, texts } from '../support/clients.js';

describe('a consumer', () => {
  it('gets what was published before and after it came, in order', async () => {
    const broker = await openBroker();
    await broker.publish('t', ['a', 'b']);
    const client = await subscribe(broker, 't', 'c', { ready: 10 });
    await broker.publish('t', 'c');
    const messages = await take(client, 3);
    expect(texts(messages)).toEqual(['a', 'b', 'c']);
    expect(messages.map(({ attempts }) => attempts)).toEqual([1, 1, 1]);
    expect(new Set(messages.map(({ id }) => id)).size).toBe(3);
    const age = Date.now() - Number(messages[0]!.timestamp / 1_000_000n);
    expect(Math.abs(age)).toBeLessThan(5000);
  });

  it('gets no more than its RDY count, and one more for each FIN', async () => {
    const broker = await openBroker();
    await broker.publish('t', numbered(10));
    const client = await subscribe(broker, 't', 'c', { ready: 3 });
    const [first] = await take(client, 3);
    await settled(client);
    expect(client.messages).toHaveLength(3);
    client.send(`FIN ${first!.id}\n`);
    await take(client, 1);
    await settled(client);
    expect(client.messages).toHaveLength(4);
    expect(countsOf(broker.topic('t').channel('c'))).toEqual({ depth: 6, inFlight: 3, deferred: 0 });
  });

  it('gets nothing after RDY 0, and goes on after the next RDY', async () => {
    const broker = await openBroker();
    const client = await subscribe(broker, 't', 'c', { ready: 1 });
    await broker.publish('t', 'a');
    const [message] = await take(client, 1);
    client.send('RDY 0\n', `FIN ${message!.id}\n`);
    await settled(client);
    await broker.publish('t', 'b');
    await settled(client);
    expect(client.messages).toHaveLength(1);
    client.send('RDY 1\n');
    expect(texts(await take(client, 1))).toEqual(['b']);
  });

  it('that lowers its RDY count below what it has gets nothing until it has less', async () => {
    const broker = await openBroker();
    await broker.publish('t', numbered(10));
    const client = await subscribe(broker, 't', 'c', { ready: 4 });
    const messages = await take(client, 4);
    client.send('RDY 2\n', ...messages.slice(0, 2).map(({ id }) => `FIN ${id}\n`));
    await settled(client);
    expect(client.messages).toHaveLength(4);
    client.send(`FIN ${messages[2]!.id}\n`);
    await take(client, 1);
  });

  it.each([
    ['RDY -1', 'E_INVALID'],
    ['RDY 2501', 'E_INVALID'],
    ['RDY x', 'E_INVALID'],
    ['SUB t c', 'E_INVALID'],
    ['REQ 0123456789abcdef', 'E_INVALID'],
    ['FIN short', 'E_INVALID'],
    ['FIN', 'E_INVALID'],
  ])('is closed for %s, and what it had goes to the next one', async (line, code) => {
    const broker = await openBroker();
    await broker.publish('t', 'a');
    const client = await subscribe(broker, 't', 'c', { ready: 1 });
    await take(client, 1);
    client.send(`${line}\n`);
    expect(await client.next()).toMatchObject({ type: 'error', code });
    await client.ended();
    const next = await subscribe(broker, 't', 'c', { ready: 1 });
    expect(await take(next, 1)).toMatchObject([{ attempts: 2 }]);
  });

  it('lives on when a message is not its own, not in flight, or no message at all', async () => {
    const broker = await openBroker();
    await broker.publish('t', 'a');
    const ann = await subscribe(broker, 't', 'c', { ready: 1 });
    const [{ id } = { id: '' }] = await take(ann, 1);
    const bob = await subscribe(broker, 't', 'c', { ready: 1 });
    for (const [command, code] of [
      ['FIN', 'E_FIN_FAILED'],
      ['REQ', 'E_REQ_FAILED'],
      ['TOUCH', 'E_TOUCH_FAILED'],
    ]) {
      const line = (of: string): string => `${command} ${of}${command === 'REQ' ? ' 0' : ''}\n`;
      await expect(bob.request(line(id))).rejects.toThrow(
        `${code} ${command} ${id} failed client does not own`,
      );
      for (const none of ['ffffffffffffffff', '0000000000000000', 'zzzzzzzzzzzzzzzz'])
        await expect(bob.request(line(none))).rejects.toThrow(
          `${code} ${command} ${none} failed ID not in flight`,
        );
    }
    expect(await consume(bob, 0)).toEqual([]);
    ann.send(`FIN ${id}\n`);
    await expect(ann.request(`FIN ${id}\n`)).rejects.toThrow('E_FIN_FAILED');
  });

  it('gives a message back at once, with an attempt more', async () => {
    const broker = await openBroker();
    await broker.publish('t', 'a');
    const client = await subscribe(broker, 't', 'c', { ready: 1 });
    for (let attempts = 1; attempts < 5; attempts++) {
      const [message] = await take(client, 1);
      expect(message).toMatchObject({ attempts });
      client.send(`REQ ${message!.id} 0\n`);
    }
    await take(client, 1);
    expect(broker.topic('t').channel('c').requeueCount).toBe(4);
  });

  it('gives a message back for later, and gets it when it is due', async () => {
    const broker = await openBroker();
    await broker.publish('t', 'a');
    const client = await subscribe(broker, 't', 'c', { ready: 5 });
    const [message] = await take(client, 1);
    const start = performance.now();
    client.send(`REQ ${message!.id} 40\n`);
    await settled(client);
    expect(countsOf(broker.topic('t').channel('c'))).toEqual({ depth: 0, inFlight: 0, deferred: 1 });
    expect(await take(client, 1)).toMatchObject([{ id: message!.id, attempts: 2 }]);
    expect(performance.now() - start).toBeGreaterThan(38);
  });

  it('may ask for a longer delay than there is, and gets the longest', async () => {
    const broker = await openBroker({ maxReqTimeout: 20 });
    await broker.publish('t', 'a');
    const client = await subscribe(broker, 't', 'c', { ready: 1 });
    const [message] = await take(client, 1);
    client.send(`REQ ${message!.id} 99999999999999\n`);
    expect(await take(client, 1)).toMatchObject([{ attempts: 2 }]);
  });

  it('loses a message that it does not finish in time, and may not finish it then', async () => {
    const broker = await openBroker({ msgTimeout: 30 });
    await broker.publish('t', 'a');
    const client = await subscribe(broker, 't', 'c', { ready: 1 });
    const start = performance.now();
    const [message] = await take(client, 1);
    client.send('RDY 0\n');
    const channel = broker.topic('t').channel('c');
    await expect.poll(() => channel.timeoutCount, { interval: 5 }).toBe(1);
    expect(performance.now() - start).toBeGreaterThan(28);
    expect(countsOf(channel)).toEqual({ depth: 1, inFlight: 0, deferred: 0 });
    await expect(client.request(`FIN ${message!.id}\n`)).rejects.toThrow('E_FIN_FAILED');
    client.send('RDY 1\n');
    expect(await take(client, 1)).toMatchObject([{ attempts: 2 }]);
  });

  it('keeps a message that it touches, but not beyond the longest timeout', async () => {
    const broker = await openBroker({ msgTimeout: 60, maxMsgTimeout: 150 });
    await broker.publish('t', 'a');
    const client = await subscribe(broker, 't', 'c', { ready: 1 });
    const [message] = await take(client, 1);
    const start = performance.now();
    const channel = broker.topic('t').channel('c');
    const timer = setInterval(() => client.send(`TOUCH ${message!.id}\n`), 20);
    try {
      await expect.poll(() => channel.timeoutCount, { interval: 5 }).toBe(1);
    } finally {
      clearInterval(timer);
    }
    expect(performance.now() - start).toBeGreaterThan(140);
  });

  it('has the message timeout that it asked for', async () => {
    const broker = await openBroker({ msgTimeout: 30 });
    await broker.publish('t', numbered(2));
    const hasty = await subscribe(broker, 't', 'c', { ready: 1 });
    const patient = await subscribe(broker, 't', 'c', { ready: 1, identify: { msg_timeout: 60_000 } });
    await take(hasty, 2);
    expect(hasty.messages[1]).toMatchObject({ id: hasty.messages[0]!.id, attempts: 2 });
    expect(patient.messages).toHaveLength(1);
  });

  it('that closes for good gets no new message and may finish what it has', async () => {
    const broker = await openBroker();
    await broker.publish('t', numbered(4));
    const client = await subscribe(broker, 't', 'c', { ready: 2 });
    const [a, b] = await take(client, 2);
    expect(await client.request('CLS\n')).toBe('CLOSE_WAIT');
    client.send(`FIN ${a!.id}\n`, 'RDY 5\n', `REQ ${b!.id} 0\n`);
    await settled(client);
    expect(client.messages).toHaveLength(2);
    expect(countsOf(broker.topic('t').channel('c'))).toEqual({ depth: 3, inFlight: 0, deferred: 0 });
    client.send('CLS\n');
    expect(await client.next()).toMatchObject({ code: 'E_INVALID' });
  });

  it('that wants a sample gets about that share, and the rest is finished', async () => {
    const broker = await openBroker();
    const client = await subscribe(broker, 't', 'c', { identify: { sample_rate: 30 } });
    client.send('RDY 2500\n');
    await broker.publish('t', numbered(2000));
    const channel = broker.topic('t').channel('c');
    await expect.poll(() => channel.depth, { interval: 5 }).toBe(0);
    await settled(client).catch(() => undefined);
    const share = channel.inFlightCount;
    expect(share).toBeGreaterThan(450);
    expect(share).toBeLessThan(800);
    await client.arrival(share, 5000);
    expect(client.messages).toHaveLength(share);
  });
});

it('messages that always come back do not hold up new ones', async () => {
  const broker = await openBroker();
  await broker.publish('t', numbered(10));
  const client = await subscribe(broker, 't', 'c', { ready: 1 });
  const seen = new Set<string>();
  for (let i = 0; i < 60; i++) {
    const { id, body } = await client.nextMessage();
    seen.add(body.toString());
    client.send(`REQ ${id} 0\n`);
  }
  expect(seen.size).toBe(10);
});

describe('consumers of one channel', () => {
  it('get equal shares of what waits', async () => {
    const broker = await openBroker();
    const clients = await Promise.all([1, 2, 3].map(() => subscribe(broker, 't', 'c', { ready: 100 })));
    for (const client of clients) await settled(client);
    await broker.publish('t', numbered(90));
    await Promise.all(clients.map((client) => take(client, 30)));
    expect(clients.map(({ messages }) => messages.length)).toEqual([30, 30, 30]);
    const all = clients.flatMap(({ messages }) => texts(messages));
    expect(new Set(all)).toEqual(new Set(numbered(90)));
  });

  it('get equal shares of what comes one by one', async () => {
    const broker = await openBroker();
    const clients = await Promise.all([1, 2, 3].map(() => subscribe(broker, 't', 'c', { ready: 100 })));
    for (const client of clients) await settled(client);
    for (const body of numbered(30)) await broker.publish('t', body);
    await Promise.all(clients.map((client) => take(client, 10)));
    expect(clients.map(({ messages }) => messages.length)).toEqual([10, 10, 10]);
  });

  it('share what the slow ones do not take', async () => {
    const broker = await openBroker();
    const slow = await subscribe(broker, 't', 'c', { ready: 1 });
    const fast = await subscribe(broker, 't', 'c', { ready: 1 });
    await settled(slow);
    await broker.publish('t', numbered(50));
    expect(await consume(fast, 49)).toHaveLength(49);
    expect(slow.messages).toHaveLength(1);
  });

  it('get the messages of one that is lost at once, in order, as a second attempt', async () => {
    const broker = await openBroker();
    await broker.publish('t', numbered(20));
    const lost = await subscribe(broker, 't', 'c', { ready: 20 });
    await take(lost, 20);
    const next = await subscribe(broker, 't', 'c', { ready: 20 });
    lost.close();
    const messages = await take(next, 20);
    expect(texts(messages)).toEqual(numbered(20));
    expect(new Set(messages.map(({ attempts }) => attempts))).toEqual(new Set([2]));
  });

  it('are no more than allowed', async () => {
    const broker = await openBroker({ maxChannelConsumers: 2 });
    const first = await subscribe(broker, 't', 'c');
    await subscribe(broker, 't', 'c');
    await subscribe(broker, 't', 'other');
    await expect(subscribe(broker, 't', 'c')).rejects.toThrow(
      'E_SUB_FAILED SUB failed consumers for t:c exceeds limit of 2',
    );
    first.close();
    const { consumers } = broker.topic('t').channel('c');
    await expect.poll(() => consumers.size, { interval: 5 }).toBe(1);
    await subscribe(broker, 't', 'c');
  });
});
