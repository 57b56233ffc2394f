import fc from 'fast-check';
import type { EntrySink } from '../../../../src/broker/state/journal-entries.js';

/** A call of an `EntrySink`: the method's name and its arguments. */
export type Call = { [K in keyof EntrySink]: [K, ...Parameters<EntrySink[K]>] }[keyof EntrySink];

const id = fc.integer({ min: 1, max: 4 });
const n = fc.nat(Number.MAX_SAFE_INTEGER);
const count = fc.integer({ min: 1, max: 2 ** 32 - 1 });
const attempts = fc.nat(65535);
const due = fc.nat(4_102_444_800_000);
const name = fc.stringMatching(/^[.a-zA-Z0-9_-]{1,64}$/);

/** Any entry, with any numbers. */
export const calls: fc.Arbitrary<Call> = fc.oneof(
  fc.tuple(fc.constant('channel' as const), id, n, fc.boolean(), name),
  fc.tuple(fc.constant('channelDeleted' as const), id),
  fc.tuple(fc.constant('channelPaused' as const), id, fc.boolean()),
  fc.tuple(fc.constant('topic' as const), fc.boolean(), n, fc.boolean()),
  fc.tuple(fc.constant('cursor' as const), id, n),
  fc.tuple(fc.constant('finished' as const), id, n, count),
  fc.tuple(fc.constant('held' as const), id, n, count, attempts),
  fc.tuple(fc.constant('deferred' as const), id, n, attempts, due),
  fc.tuple(fc.constant('emptied' as const), id, n),
  fc.tuple(fc.constant('skipped' as const), id, n, n),
);

export function play(sink: EntrySink, [method, ...args]: Call): void {
  (sink[method] as (...args: unknown[]) => void).apply(sink, args);
}

/** A sink that notes its calls. */
export function recorder(into: Call[]): EntrySink {
  const note =
    <K extends keyof EntrySink>(method: K) =>
    (...args: Parameters<EntrySink[K]>): void =>
      void into.push([method, ...args] as unknown as Call);
  return {
    channel: note('channel'),
    channelDeleted: note('channelDeleted'),
    channelPaused: note('channelPaused'),
    topic: note('topic'),
    cursor: note('cursor'),
    finished: note('finished'),
    held: note('held'),
    deferred: note('deferred'),
    emptied: note('emptied'),
    skipped: note('skipped'),
  };
}
