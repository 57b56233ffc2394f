import fc from 'fast-check';
import { expect, test } from 'vitest';
import { IdIndex } from '../../../src/broker/takeover/id-index.js';
import { QueueMerge } from '../../../src/broker/takeover/queue-merge.js';
import { QueueReader } from '../../../src/broker/takeover/queue-reader.js';
import { MemoryFiles } from '../log/support/memory-files.js';
import { encodeRecord, type NsqdMessage } from './support/nsqd-data.js';

interface Merged {
  /** Ids in their order. */
  readonly order: number[];
  /** Of each queue: attempts by id. */
  readonly has: Map<number, number>[];
}

function merge(queues: readonly (readonly NsqdMessage[])[]): Merged {
  const files = new MemoryFiles();
  const readers = (): QueueReader[] =>
    queues.map((list, at) => {
      files.put(`/${at}`, Buffer.concat(list.map(encodeRecord)));
      const options = { window: 100, maxMsgSize: 1000, unreadable: () => {} };
      return new QueueReader(files, [{ path: `/${at}`, from: 0 }], options);
    });
  const index = new IdIndex();
  for (const [at, reader] of readers().entries())
    while (reader.next()) index.add(reader.idHi, reader.idLo, at);
  const order: number[] = [];
  const numbers = queues.map(() => new Map<number, number>());
  const merging = new QueueMerge(readers(), index, (queue, n, attempts) => numbers[queue]!.set(n, attempts));
  for (let reader = merging.next(); reader; reader = merging.next()) order.push(reader.idLo);
  const has = numbers.map((it) => new Map([...it].map(([n, attempts]) => [order[n]!, attempts])));
  return { order, has };
}

function ids(...list: number[]): NsqdMessage[] {
  return list.map((id) => ({ id }));
}

test.each([
  [[[1, 2, 3]], [1, 2, 3]],
  [
    [
      [3, 4, 5, 6],
      [1, 3, 4, 6, 2],
    ],
    [1, 3, 4, 5, 6, 2],
  ],
  [
    [
      [5, 6],
      [1, 2, 3],
    ],
    [1, 2, 3, 5, 6],
  ],
  [
    [
      [2, 1],
      [2, 1],
    ],
    [2, 1],
  ],
  [[[], [1]], [1]],
  [
    [
      [2, 3, 4, 1],
      [1, 2, 3, 4],
    ],
    [1, 2, 3, 4],
  ],
  [
    [
      [1, 2],
      [2, 3],
      [3, 1],
    ],
    [1, 2, 3],
  ],
])('%j', (queues, order) => {
  expect(merge(queues.map((list) => ids(...list))).order).toEqual(order);
});

test('each message once; who has it and how often it was delivered; orders that agree are kept', () => {
  const arbitrary = fc
    .shuffledSubarray([...Array(30).keys()], { minLength: 30 })
    .chain((order) =>
      fc.array(fc.subarray(order), { minLength: 1, maxLength: 4 }).map((queues) => ({ queues })),
    );
  fc.assert(
    fc.property(arbitrary, ({ queues }) => {
      const lists = queues.map((list, at) => list.map((id) => ({ id, attempts: (id + at) % 3 })));
      const { order, has } = merge(lists);
      expect([...order].sort()).toEqual([...new Set(queues.flat())].sort());
      for (const [at, list] of queues.entries()) {
        expect(order.filter((id) => list.includes(id))).toEqual(list);
        expect(has[at]).toEqual(new Map(lists[at]!.map(({ id, attempts }) => [id, attempts])));
      }
    }),
  );
});

test('orders that contradict each other, and messages that are in a queue twice: each comes once', () => {
  const queue = fc.array(fc.nat(12), { maxLength: 20 });
  fc.assert(
    fc.property(fc.array(queue, { minLength: 1, maxLength: 4 }), (queues) => {
      const { order, has } = merge(queues.map((list) => ids(...list)));
      expect([...order].sort()).toEqual([...new Set(queues.flat())].sort());
      for (const [at, list] of queues.entries())
        expect([...has[at]!.keys()].sort()).toEqual([...new Set(list)].sort());
    }),
  );
});

test('the index knows thousands of ids, as many queues as have them, and their numbers', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 5000 }),
      fc.nat(0xffffffff),
      fc.nat(0xffffffff),
      (count, hi, step) => {
        const index = new IdIndex();
        const id = (i: number): number => (i * (step | 1)) >>> 0;
        for (let i = 0; i < count; i++) index.add(hi, id(i), 0);
        for (let i = 0; i < count; i += 2) {
          index.add(hi, id(i), 1);
          index.add(hi, id(i), 1);
        }
        expect(index.size).toBe(count);
        expect(index.find(hi ^ 1, 0)).toBe(-1);
        for (let i = 0; i < count; i++) {
          const slot = index.find(hi, id(i));
          expect([index.queuesOf(slot), index.numberOf(slot)]).toEqual([2 - (i % 2), -1]);
          index.setNumber(slot, i);
          expect(index.numberOf(slot)).toBe(i);
        }
      },
    ),
    { numRuns: 10 },
  );
});
