import { describe, expect, test } from 'vitest';
import { Pacer } from '../../../src/cli/pub/pacer.js';
import { Publication, type PublicationOptions, type Publisher } from '../../../src/cli/pub/publication.js';

/** Keeps what it is given, as commands; refuses bodies that start with `bad`. */
class FakePublisher implements Publisher {
  readonly commands: string[] = [];
  failure: Error | undefined;

  async publish(_topic: string, body: Buffer): Promise<void> {
    this.#take('PUB', [body]);
  }

  async publishBatch(_topic: string, bodies: readonly Buffer[]): Promise<void> {
    this.#take('MPUB', bodies);
  }

  async publishDeferred(_topic: string, body: Buffer, delayMs: number): Promise<void> {
    this.#take(`DPUB ${delayMs}`, [body]);
  }

  #take(command: string, bodies: readonly Buffer[]): void {
    if (this.failure) throw this.failure;
    if (bodies.some((body) => body.toString().startsWith('bad'))) {
      throw Object.assign(new Error('message too big'), { code: 'E_BAD_MESSAGE' });
    }
    this.commands.push(`${command} ${bodies.join(',')}`);
  }
}

function publicationTo(
  publishers: Record<string, Publisher>,
  options: Partial<PublicationOptions> = {},
): Publication {
  return new Publication({
    topic: 't',
    publishers: new Map(Object.entries(publishers)),
    batch: 3,
    deferMs: 0,
    pacer: new Pacer(0),
    signal: new AbortController().signal,
    ...options,
  });
}

const bodies = (...texts: string[]): Buffer[] => texts.map((text) => Buffer.from(text));

describe('Publication', () => {
  test('a single message is a PUB, more are MPUBs of the batch size, in order', async () => {
    const nsqd = new FakePublisher();
    const publication = publicationTo({ nsqd });
    await publication.add(bodies('a'));
    await publication.finish();
    await publication.add(bodies('b', 'c', 'd', 'e', 'f'));
    await publication.finish();
    expect(nsqd.commands).toEqual(['PUB a', 'MPUB b,c,d', 'MPUB e,f']);
    expect(publication.receipt).toMatchObject({ messages: 6, bytes: 6, notAccepted: 0, nsqd: ['nsqd'] });
  });

  test('add waits while a batch waits, so that memory is bounded', async () => {
    let release = (): void => {};
    const nsqd = new FakePublisher();
    nsqd.publishBatch = () => new Promise((resolve) => (release = resolve));
    const publication = publicationTo({ nsqd });
    let added = false;
    const adding = publication.add(bodies(...'abcdefg')).then(() => (added = true));
    await new Promise(setImmediate);
    await new Promise(setImmediate);
    expect(added).toBe(false);
    nsqd.publishBatch = async () => {};
    release();
    await adding;
    await publication.finish();
    expect(publication.receipt.messages).toBe(7);
  });

  test('every nsqd gets every message', async () => {
    const [one, other] = [new FakePublisher(), new FakePublisher()];
    const publication = publicationTo({ one, other });
    await publication.add(bodies('a', 'b'));
    await publication.finish();
    expect(one.commands).toEqual(['MPUB a,b']);
    expect(other.commands).toEqual(['MPUB a,b']);
    expect(publication.receipt.messages).toBe(2);
  });

  test('deferred messages go one by one', async () => {
    const nsqd = new FakePublisher();
    const publication = publicationTo({ nsqd }, { deferMs: 500 });
    await publication.add(bodies('a', 'b'));
    await publication.finish();
    expect(nsqd.commands).toEqual(['DPUB 500 a', 'DPUB 500 b']);
  });

  test('empty records are left out and counted', async () => {
    const nsqd = new FakePublisher();
    const publication = publicationTo({ nsqd });
    await publication.add(bodies('', 'a', ''));
    await publication.finish();
    expect(publication.receipt).toMatchObject({ messages: 1, skipped: 2, notAccepted: 0 });
  });

  test('of a refused batch only the bad message is not accepted, and the next ones go on', async () => {
    const nsqd = new FakePublisher();
    const publication = publicationTo({ nsqd });
    await publication.add(bodies('a', 'bad', 'c', 'd'));
    await publication.finish();
    expect(nsqd.commands).toEqual(['PUB a', 'PUB c', 'PUB d']);
    expect(publication.receipt).toMatchObject({
      messages: 3,
      notAccepted: 1,
      refusals: [{ message: 2, bytes: 3, nsqd: 'nsqd', code: 'E_BAD_MESSAGE', reason: 'message too big' }],
    });
  });

  test('a lost connection ends it, and all that was taken counts as not accepted', async () => {
    const nsqd = new FakePublisher();
    nsqd.failure = Object.assign(new Error('gone'), { code: 'E_CONNECTION_LOST' });
    const publication = publicationTo({ nsqd });
    await expect(publication.add(bodies(...'abcdefg'))).rejects.toThrow('gone');
    await expect(publication.finish()).rejects.toThrow('gone');
    expect(publication.receipt).toMatchObject({
      messages: 0,
      notAccepted: 7,
      refusals: [{ message: 1, last: 7, bytes: 7, nsqd: 'nsqd', code: 'E_CONNECTION_LOST', reason: 'gone' }],
    });
  });

  test('one of several nsqds is lost: the messages are named with it, and the others have them', async () => {
    const [one, other] = [new FakePublisher(), new FakePublisher()];
    other.failure = Object.assign(new Error('gone'), { code: 'E_CONNECTION_LOST' });
    const publication = publicationTo({ one, other });
    await publication.add(bodies('a', 'b'));
    await expect(publication.finish()).rejects.toThrow('gone');
    expect(one.commands).toEqual(['MPUB a,b']);
    expect(publication.receipt).toMatchObject({
      messages: 0,
      notAccepted: 2,
      refusals: [{ message: 1, last: 2, nsqd: 'other', reason: 'gone' }],
    });
  });

  test('what the rate holds back at a signal is left and counted', async () => {
    const nsqd = new FakePublisher();
    const controller = new AbortController();
    const pacer = new Pacer(1);
    const publication = publicationTo({ nsqd }, { pacer, signal: controller.signal });
    const adding = publication.add(bodies('a', 'b', 'c'));
    while (nsqd.commands.length === 0) await new Promise(setImmediate);
    controller.abort();
    await adding;
    await publication.finish();
    expect(publication.receipt).toMatchObject({ messages: 1, unsent: 2, notAccepted: 0 });
    expect(publication.inFlight).toBe(0);
  });
});

test('a pacer spreads messages evenly', async () => {
  let now = 0;
  const slept: number[] = [];
  const pacer = new Pacer(100, {
    now: () => now,
    sleep: async (ms) => {
      slept.push(ms);
      now += ms;
    },
  });
  const { signal } = new AbortController();
  expect(pacer.batchLimit).toBe(10);
  for (const count of [10, 5, 5]) expect(await pacer.take(count, signal)).toBe(true);
  expect(slept).toEqual([100, 50]);
});
