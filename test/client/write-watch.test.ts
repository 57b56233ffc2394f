import type { Duplex } from 'node:stream';
import { describe, expect, it, vi } from 'vitest';
import { WriteWatch } from '../../src/client/write-watch.js';
import { standStill } from './support/script.js';

/** A watch over a stream of which the test says how many bytes it still holds. */
function watched(timeout: number) {
  standStill();
  const stream = { writableLength: 0, destroyed: false };
  let stalls = 0;
  const watch = new WriteWatch(stream as Duplex, timeout, () => stalls++);
  return {
    stream,
    watch,
    stalls: () => stalls,
    /** Writes bytes, of which so many are not taken. */
    write: (bytes: number, left: number): void => {
      stream.writableLength = left;
      watch.wrote(bytes);
    },
    pass: async (ms: number): Promise<void> => {
      vi.advanceTimersByTime(ms);
      await new Promise(setImmediate);
    },
  };
}

describe('WriteWatch', () => {
  it('notices that nothing is taken any more', async () => {
    const { write, pass, stalls } = watched(1000);
    write(100, 60);
    await pass(999);
    write(50, 110);
    expect(stalls()).toBe(0);
    await pass(1);
    expect(stalls()).toBe(1);
  });

  it('is content with a little now and then', async () => {
    const { stream, write, pass, stalls } = watched(1000);
    write(100, 60);
    for (let left = 59; left > 50; left--) {
      stream.writableLength = left;
      await pass(1000);
    }
    write(1000, 1049);
    await pass(1000);
    stream.writableLength = 0;
    await pass(5000);
    expect(stalls()).toBe(0);
  });

  it('sees to it that what can be written is, where this side was busy', async () => {
    const { stream, write, stalls } = watched(1000);
    write(100, 60);
    vi.advanceTimersByTime(5000);
    stream.writableLength = 0;
    await new Promise(setImmediate);
    expect(stalls()).toBe(0);
  });

  it('minds only what was written, on a stream that lives', async () => {
    const { stream, watch, write, pass, stalls } = watched(1000);
    write(100, 0);
    await pass(5000);
    write(100, 60);
    stream.destroyed = true;
    await pass(5000);
    stream.destroyed = false;
    write(100, 60);
    watch.close();
    await pass(5000);
    expect(stalls()).toBe(0);
  });
});
