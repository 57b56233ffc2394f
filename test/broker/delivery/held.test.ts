import { closeSync, openSync, truncateSync, writeSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { Held, HeldQueue } from '../../../src/broker/delivery/held.js';
import { type Files, REAL_FILES } from '../../../src/broker/log/files.js';
import type { TopicLog } from '../../../src/broker/log/topic-log.js';
import { append, appendBatch, appendDeferred, commit } from '../log/support/logs.js';
import { bodyAt, diskLog } from './support/disk-log.js';

class Queue {
  readonly held: HeldQueue;
  #loaded: (found: boolean) => void = () => {};

  constructor(log: TopicLog) {
    this.held = new HeldQueue(
      log,
      (found) => this.#loaded(found),
      ({ segment }) => {
        segment.outstanding--;
      },
    );
  }

  /** Whether what is to come was read. */
  loaded(): Promise<boolean> {
    return new Promise((resolve) => {
      this.#loaded = resolve;
    });
  }

  /** The next body, waiting for what must be read. */
  async next(): Promise<string | undefined> {
    for (;;) {
      const loaded = this.loaded();
      const found = this.held.take();
      if (found) return bodyAt(found.slab.buf, found.start);
      if (this.held.length === 0) return undefined;
      await loaded;
    }
  }

  async rest(): Promise<string[]> {
    const bodies: string[] = [];
    for (let body = await this.next(); body !== undefined; body = await this.next()) bodies.push(body);
    return bodies;
  }
}

/** Commits that fill several blocks and files; the bodies by number. */
async function fill(log: TopicLog): Promise<string[]> {
  const bodies: string[] = [];
  for (let round = 0; round < 8; round++) {
    const batch = Array.from({ length: 8 }, (_, i) => `${'x'.repeat(20_000)} ${round}.${i}`);
    bodies.push(...batch, `later ${round}`, `single ${round}`);
    appendBatch(log, batch);
    appendDeferred(log, `later ${round}`, 1);
    append(log, `single ${round}`);
    await commit(log);
  }
  return bodies;
}

function held(log: TopicLog, n: number): Held {
  const segment = log.segments.of(n)!;
  segment.outstanding++;
  return new Held(n, 1, segment);
}

describe('HeldQueue', () => {
  it('finds messages in any order, whatever is in memory and known of their place', async () => {
    for (const options of [{}, { cacheSize: 0 }, { cacheSize: 0, maxBytesPerFile: 60_000 }]) {
      const log = diskLog(options);
      const bodies = await fill(log);
      const numbers = fc.uniqueArray(fc.nat({ max: bodies.length - 1 }), { maxLength: 20 });
      await fc.assert(
        fc.asyncProperty(numbers, async (wanted) => {
          const queue = new Queue(log);
          for (const n of wanted) queue.held.push(held(log, n));
          expect(queue.held.length).toBe(wanted.length);
          expect(await queue.rest()).toEqual(wanted.map((n) => bodies[n]));
        }),
        { numRuns: 15 },
      );
    }
  });

  it('does not give up a message that is before the one read last, while it is being read', async () => {
    const log = diskLog({ cacheSize: 0, maxBytesPerFile: 1 });
    for (const body of ['a', 'b', 'c']) {
      append(log, body);
      await commit(log);
    }
    const queue = new Queue(log);
    queue.held.push(held(log, 1));
    expect(await queue.next()).toBe('b');
    queue.held.push(held(log, 0));
    const loaded = queue.loaded();
    // A channel asks as often as something happens to it.
    expect([queue.held.take(), queue.held.take()]).toEqual([undefined, undefined]);
    expect(queue.held.length).toBe(1);
    expect(await loaded).toBe(true);
    expect(await queue.next()).toBe('a');
  });

  it('keeps a message that could not be read for once', async () => {
    let failing = false;
    const files: Files = {
      ...REAL_FILES,
      read: (fd, buf, offset, length, position, done) =>
        failing
          ? setImmediate(done, new Error('EIO'), 0)
          : REAL_FILES.read(fd, buf, offset, length, position, done),
    };
    const log = diskLog({ cacheSize: 0, maxBytesPerFile: 1, files });
    for (const body of ['a', 'b', 'c']) {
      append(log, body);
      await commit(log);
    }
    const queue = new Queue(log);
    queue.held.push(held(log, 1));
    expect(await queue.next()).toBe('b');
    queue.held.push(held(log, 0));
    failing = true;
    for (let i = 0; i < 2; i++) {
      const loaded = queue.loaded();
      expect(queue.held.take()).toBeUndefined();
      expect(await loaded).toBe(false);
    }
    failing = false;
    expect(await queue.next()).toBe('a');
  });

  it('gives up a message whose block is damaged, and it is not outstanding any more', async () => {
    const log = diskLog({ cacheSize: 0, maxBytesPerFile: 1 });
    for (const body of ['a', 'b', 'c']) {
      append(log, body);
      await commit(log);
    }
    const [first] = log.segments;
    truncateSync(first!.path, first!.fileOffset(0));
    truncateSync(first!.path, first!.fileOffset(first!.size));
    const queue = new Queue(log);
    for (const n of [0, 1]) queue.held.push(held(log, n));
    expect(await queue.rest()).toEqual(['b']);
    expect(first!.outstanding).toBe(0);
  });

  it('has nothing after clear, and takes messages again', async () => {
    const log = diskLog();
    appendBatch(log, ['a', 'b']);
    await commit(log);
    const queue = new Queue(log);
    queue.held.push(held(log, 0));
    queue.held.clear();
    expect([queue.held.length, queue.held.take()]).toEqual([0, undefined]);
    queue.held.push(held(log, 1));
    expect([...queue.held].map(({ n }) => n)).toEqual([1]);
    expect(await queue.rest()).toEqual(['b']);
  });
});

it('one behind a damaged stretch and a slab in memory is found', async () => {
  const log = diskLog();
  const bodies = Array.from({ length: 12 }, (_, i) => `${'x'.repeat(20_000)} ${i}`);
  for (const body of bodies) {
    append(log, body);
    await commit(log);
  }
  const segment = log.segments.first!;
  const kept = log.slabOf(1)!;
  for (let n = 0; n < bodies.length; n++) {
    const slab = log.slabOf(n);
    if (slab && slab !== kept) log.dropSlab(slab);
  }
  expect(kept.endN).toBeLessThan(5);
  const fd = openSync(segment.path, 'r+');
  writeSync(
    fd,
    Buffer.alloc(kept.pos - segment.basePos),
    0,
    kept.pos - segment.basePos,
    segment.fileOffset(0),
  );
  closeSync(fd);
  const queue = new Queue(log);
  for (const n of [5, 0, 6]) queue.held.push(new Held(n, 1, segment));
  const loads = vi.spyOn(log, 'load');
  expect(await queue.rest()).toEqual([bodies[5], bodies[6]]);
  expect(loads.mock.calls.length).toBeLessThan(6);
});
