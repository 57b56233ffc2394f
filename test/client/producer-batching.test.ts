import { Socket } from 'node:net';
import fc from 'fast-check';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { Producer } from '../../src/client/producer.js';
import { failure, producerTo } from './support/clients.js';
import { type FakeNsqd, fakeNsqd, messagesOf, silent } from './support/fake-nsqd.js';

const published = (nsqd: FakeNsqd, topic: string): string[] =>
  nsqd.peers
    .flatMap((peer) => peer.commands)
    .filter(({ name, params }) => name !== 'DPUB' && name.endsWith('PUB') && params[0] === topic)
    .flatMap(messagesOf);

const namesOf = (nsqd: FakeNsqd): string[] =>
  nsqd.peers.flatMap((peer) => peer.commands.slice(1).map(({ name }) => name));

describe('Producer: joining concurrent calls', () => {
  it('sends the calls of a turn for one topic as one MPUB, a lone one as PUB', async () => {
    const nsqd = await fakeNsqd();
    const producer = producerTo(nsqd.address);
    await producer.publish('a', 'alone');
    await Promise.all([
      producer.publish('a', 'a1'),
      producer.publish('b', 'b1'),
      producer.publish('a', Buffer.from('a2')),
      producer.publish('b', 'b2'),
    ]);
    expect(namesOf(nsqd)).toEqual(['PUB', 'MPUB', 'MPUB']);
    expect(published(nsqd, 'a')).toEqual(['alone', 'a1', 'a2']);
    expect(published(nsqd, 'b')).toEqual(['b1', 'b2']);
  });

  it('waits for the end of the turn, but not when it follows an outcome', async () => {
    const nsqd = await fakeNsqd();
    const producer = producerTo(nsqd.address);
    await producer.publish('a', 'first');
    const write = vi.spyOn(Socket.prototype, 'write');
    const clock = vi.spyOn(performance, 'now').mockReturnValue(performance.now() + 10);
    onTestFinished(() => void vi.restoreAllMocks());
    const late = producer.publish('a', 'late');
    await new Promise(process.nextTick);
    expect(write).not.toHaveBeenCalled();
    await late;

    write.mockClear();
    const calls = [producer.publish('a', '1'), producer.publish('b', '2'), producer.publish('a', '3')];
    await new Promise(process.nextTick);
    expect(write).toHaveBeenCalledOnce();
    calls.push(producer.publish('a', '4'));
    await new Promise(process.nextTick);
    expect(write).toHaveBeenCalledOnce();
    await Promise.all(calls);
    clock.mockRestore();
    expect(namesOf(nsqd)).toEqual(['PUB', 'PUB', 'MPUB', 'PUB', 'PUB']);
    expect(published(nsqd, 'a')).toEqual(['first', 'late', '1', '3', '4']);
  });

  it('does not, when told so', async () => {
    const nsqd = await fakeNsqd();
    const producer = producerTo(nsqd.address, { autoBatch: false });
    await Promise.all([producer.publish('a', '1'), producer.publish('a', '2')]);
    expect(namesOf(nsqd)).toEqual(['PUB', 'PUB']);
  });

  it('keeps large messages apart, and MPUBs small', async () => {
    const nsqd = await fakeNsqd();
    const producer = producerTo(nsqd.address);
    const calls = [producer.publish('a', 'x'.repeat(20_000)), producer.publish('a', 'y'.repeat(20_000))];
    for (let n = 0; n < 1200; n++) calls.push(producer.publish('a', `${n}`));
    for (let n = 0; n < 10; n++) calls.push(producer.publish('b', `${n}`.repeat(10_000)));
    await Promise.all(calls);
    const sizes = nsqd.peers[0]?.commands.slice(1).map((one) => [one.name, messagesOf(one).length]);
    expect(sizes).toEqual([
      ['PUB', 1],
      ['PUB', 1],
      ['MPUB', 500],
      ['MPUB', 500],
      ['MPUB', 200],
      ['MPUB', 6],
      ['MPUB', 4],
    ]);
  });

  const topic = fc.constantFrom('a', 'b');
  const step = fc.oneof(
    fc.record({ topic, size: fc.constantFrom(1, 100, 17_000), kind: fc.constant('publish' as const) }),
    fc.record({ topic, size: fc.constantFrom(1, 100), kind: fc.constantFrom('batch', 'deferred', 'turn') }),
  );

  it('keeps the order of a topics calls, whatever they are', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), fc.boolean(), async (steps, autoBatch) => {
        const nsqd = await fakeNsqd();
        const producer = producerTo(nsqd.address, { autoBatch });
        const calls: Promise<void>[] = [];
        const wanted: Record<string, string[]> = { a: [], b: [] };
        for (const [n, { topic, size, kind }] of steps.entries()) {
          const body = `${n}`.padEnd(size);
          if (kind === 'turn') await new Promise(setImmediate);
          else if (kind === 'deferred') calls.push(producer.publishDeferred(topic, body, 1000));
          else if (kind === 'batch') calls.push(producer.publishBatch(topic, [body, 'second']));
          else calls.push(producer.publish(topic, body));
          if (kind === 'publish') wanted[topic]?.push(body);
          if (kind === 'batch') wanted[topic]?.push(body, 'second');
        }
        await Promise.all(calls);
        expect(published(nsqd, 'a')).toEqual(wanted.a);
        expect(published(nsqd, 'b')).toEqual(wanted.b);
        await producer.close();
        await nsqd.stop();
      }),
      { numRuns: 40 },
    );
  });

  it('leaves out what was given up before it was sent', async () => {
    const nsqd = await fakeNsqd();
    const producer = producerTo(nsqd.address);
    const abort = new AbortController();
    const calls = [producer.publish('a', '1'), producer.publish('a', '3')];
    const gone = failure(producer.publish('a', '2', { signal: abort.signal }));
    calls.push(producer.publish('a', '4'));
    abort.abort();
    expect(await gone).toMatchObject({ code: 'E_ABORTED', mayHaveArrived: false });
    await Promise.all(calls);
    expect(published(nsqd, 'a')).toEqual(['1', '3', '4']);
  });

  it('says of every call of a lost MPUB that it may have arrived', async () => {
    const nsqd = await fakeNsqd({ on: { MPUB: (peer) => peer.cut() } });
    const producer = producerTo(nsqd.address);
    const errors = await Promise.all(['1', '2', '3'].map((body) => failure(producer.publish('a', body))));
    for (const error of errors)
      expect(error).toMatchObject({ code: 'E_CONNECTION_LOST', mayHaveArrived: true });
  });

  it('times a call of an MPUB out by itself', async () => {
    const nsqd = await fakeNsqd({ on: { MPUB: silent } });
    const producer = producerTo(nsqd.address);
    const late = failure(producer.publish('a', '1', { timeout: 20 }));
    const other = producer.publish('a', '2');
    expect(await late).toMatchObject({ code: 'E_TIMEOUT', mayHaveArrived: true });
    const peer = await nsqd.peer();
    await peer.next('MPUB');
    peer.respond('OK');
    await other;
  });
});

describe('Producer: an MPUB of joined calls refused', () => {
  /** Refuses messages that say `bad`, in the way of nsqd. */
  const picky = () =>
    fakeNsqd({
      on: {
        PUB: (peer, { body }) => {
          if (body.toString() === 'bad') peer.error('E_BAD_MESSAGE PUB invalid message');
          else peer.respond('OK');
        },
        MPUB: (peer, command) => {
          if (messagesOf(command).includes('bad')) peer.error('E_BAD_MESSAGE MPUB invalid message');
          else peer.respond('OK');
        },
      },
    });

  /** What the broker has kept: each connection's commands up to the one refused. */
  const kept = (nsqd: FakeNsqd): string[] =>
    nsqd.peers.flatMap((peer) => {
      const messages = peer.commands.slice(1).map(messagesOf);
      const refused = messages.findIndex((some) => some.includes('bad'));
      return messages.slice(0, refused < 0 ? undefined : refused).flat();
    });

  const publishAll = (producer: Producer, bodies: readonly string[]): Promise<unknown[]> =>
    Promise.all(
      bodies.map((body) =>
        producer.publish('a', body).then(
          () => 'OK',
          (error: unknown) => error,
        ),
      ),
    );

  it('fails the one that is to blame, and publishes the others once, in order', async () => {
    const nsqd = await picky();
    const outcomes = await publishAll(producerTo(nsqd.address), ['1', '2', 'bad', '3', 'bad', '4']);
    expect(outcomes.map((one) => (one === 'OK' ? one : (one as { code: string }).code))).toEqual([
      'OK',
      'OK',
      'E_BAD_MESSAGE',
      'OK',
      'E_BAD_MESSAGE',
      'OK',
    ]);
    expect(outcomes[2]).toMatchObject({ name: 'PublishError', mayHaveArrived: false });
    expect(kept(nsqd)).toEqual(['1', '2', '3', '4']);
  });

  it('keeps the order with what was sent behind it', async () => {
    const nsqd = await picky();
    const producer = producerTo(nsqd.address);
    const first = publishAll(producer, ['bad', '1', '2']);
    await new Promise(setImmediate);
    const second = publishAll(producer, ['3', '4']);
    const third = producer.publishBatch('a', ['5', '6']);
    await Promise.all([first, second, third]);
    expect(kept(nsqd)).toEqual(['1', '2', '3', '4', '5', '6']);
  });

  it.each([
    ['E_MPUB_FAILED MPUB failed', true],
    ['E_BAD_TOPIC MPUB topic name', false],
    ['E_UNAUTHORIZED AUTH failed', false],
  ])('%s is every calls error; may have arrived = %s', async (line, mayHaveArrived) => {
    const nsqd = await fakeNsqd({ on: { MPUB: (peer) => peer.error(line) } });
    for (const error of await publishAll(producerTo(nsqd.address), ['1', '2'])) {
      expect(error).toMatchObject({ code: line.split(' ')[0], mayHaveArrived });
    }
    expect(namesOf(nsqd)).toEqual(['MPUB']);
  });
});
