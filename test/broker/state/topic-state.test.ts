import fc from 'fast-check';
import { expect, test } from 'vitest';
import { EntryWriter, readEntries } from '../../../src/broker/state/journal-entries.js';
import { TopicState } from '../../../src/broker/state/topic-state.js';

/** What a channel does, as far as its journal is concerned. */
type Step =
  | { act: 'take'; count: number }
  | { act: 'finish'; which: number; ahead: boolean }
  | { act: 'again'; which: number }
  | { act: 'defer'; which: number; due: number }
  | { act: 'empty' }
  | { act: 'pause'; paused: boolean }
  | { act: 'skip'; count: number };

const which = fc.nat(1000);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ act: fc.constant('take' as const), count: fc.integer({ min: 1, max: 9 }) }),
  },
  { weight: 6, arbitrary: fc.record({ act: fc.constant('finish' as const), which, ahead: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ act: fc.constant('again' as const), which }) },
  {
    weight: 2,
    arbitrary: fc.record({ act: fc.constant('defer' as const), which, due: fc.integer({ min: 1, max: 99 }) }),
  },
  fc.constant({ act: 'empty' as const }),
  fc.record({ act: fc.constant('pause' as const), paused: fc.boolean() }),
  fc.record({ act: fc.constant('skip' as const), count: fc.integer({ min: 1, max: 4 }) }),
);

interface Fate {
  attempts: number;
  due: number;
}

/** A channel as a table of its messages. */
class Table {
  cursor = 0;
  paused = false;
  readonly held = new Map<number, Fate>();
  /** Numbers from the cursor on that will not be delivered. */
  readonly ahead = new Set<number>();

  moveTo(n: number): void {
    for (; this.cursor < n; this.cursor++) {
      if (this.ahead.delete(this.cursor)) continue;
      if (!this.held.has(this.cursor)) this.held.set(this.cursor, { attempts: 0, due: 0 });
    }
  }
}

const ID = 3;

function replayed(steps: readonly Step[]): { state: TopicState; table: Table } {
  const writer = new EntryWriter();
  const table = new Table();
  writer.channel(ID, 0, false, 'ch');
  const one = (list: Iterable<number>, at: number): number | undefined => {
    const numbers = [...list];
    return numbers[at % numbers.length];
  };
  for (const it of steps) {
    if (it.act === 'take') {
      table.moveTo(table.cursor + it.count);
      writer.cursor(ID, table.cursor);
    } else if (it.act === 'finish') {
      // A deferred message may be finished before the position passes it.
      const n = it.ahead ? table.cursor + (it.which % 20) : one(table.held.keys(), it.which);
      if (n === undefined || (it.ahead && table.ahead.has(n))) continue;
      writer.finished(ID, n, 1);
      table.held.delete(n);
      if (n >= table.cursor) table.ahead.add(n);
    } else if (it.act === 'again' || it.act === 'defer') {
      const n = one(table.held.keys(), it.which);
      if (n === undefined) continue;
      const attempts = table.held.get(n)!.attempts + 1;
      const due = it.act === 'defer' ? it.due : 0;
      if (it.act === 'defer') writer.deferred(ID, n, attempts, due);
      else writer.held(ID, n, 1, attempts);
      table.held.set(n, { attempts, due });
    } else if (it.act === 'empty') {
      const end = Math.max(table.cursor, ...table.ahead, ...table.held.keys()) + 1;
      table.moveTo(end);
      table.held.clear();
      writer.emptied(ID, end);
    } else if (it.act === 'pause') {
      table.paused = it.paused;
      writer.channelPaused(ID, it.paused);
    } else {
      const from = Math.max(table.cursor - 1, ...table.ahead, ...table.held.keys()) + 1;
      for (let n = from; n < from + it.count; n++) table.ahead.add(n);
      writer.skipped(ID, from, from + it.count);
    }
  }
  const state = new TopicState();
  readEntries(writer.bytes(), state);
  return { state, table };
}

test('replaying a journal gives what the channel was', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const { state, table } = replayed(steps);
      const channel = state.channels.get(ID)!;
      expect(channel.name).toBe('ch');
      expect(channel.paused).toBe(table.paused);
      expect(channel.cursor).toBe(table.cursor);
      const held = [...channel.held].flatMap(({ from, to, attempts, due }) =>
        Array.from({ length: to - from }, (_, i) => [from + i, { attempts, due }]),
      );
      expect(held).toEqual([...table.held].sort(([a], [b]) => a - b));
      const ahead = [...channel.ahead].flatMap(({ from, to }) =>
        Array.from({ length: to - from }, (_, i) => from + i),
      );
      expect(ahead).toEqual([...table.ahead].sort((a, b) => a - b));
    }),
    { numRuns: 400 },
  );
});

test('no message that a journal speaks of has its highest number', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const { state, table } = replayed(steps);
      const after = [...table.held.keys(), ...table.ahead].map((n) => n + 1);
      expect(state.highest).toBe(Math.max(state.pumped, table.cursor, ...after));
    }),
  );
});

test('a channel that was deleted is gone, and what is said of it later is passed over', () => {
  const state = new TopicState();
  state.channel(1, 5, false, 'a');
  state.channel(2, 0, true, 'b');
  state.channelDeleted(1);
  state.cursor(1, 10);
  state.finished(1, 3, 1);
  state.held(1, 3, 1, 1);
  state.deferred(1, 3, 1, 1);
  state.emptied(1, 3);
  state.skipped(1, 3, 4);
  state.channelPaused(1, true);
  expect([...state.channels.values()].map(({ name, paused }) => [name, paused])).toEqual([['b', true]]);
});
