import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Slab } from '../../../src/broker/log/slab.js';
import { SlabCache } from '../../../src/broker/log/slab-cache.js';
import { SlabList } from '../../../src/broker/log/slab-list.js';

const SIZE = 512 * 1024;

type Step = { act: 'make' | 'hold' | 'letGo'; which: number };

const steps = fc.array(
  fc.record({ act: fc.constantFrom('make', 'hold', 'letGo'), which: fc.nat(100) }) as fc.Arbitrary<Step>,
  { maxLength: 60 },
);

test('a buffer is used again only when nobody holds it, and by one slab at a time', () => {
  fc.assert(
    fc.property(steps, (list) => {
      const held: { slab: Slab; holders: number }[] = [];
      for (const { act, which } of list) {
        if (act === 'make') {
          const slab = Slab.allocate(SIZE, 0, 0);
          expect(held.every((it) => it.slab.buf !== slab.buf)).toBe(true);
          held.push({ slab, holders: 1 });
          continue;
        }
        const it = held[which % held.length];
        if (!it) continue;
        if (act === 'hold') {
          it.slab.hold();
          it.holders++;
        } else {
          it.slab.letGo();
          if (--it.holders === 0) held.splice(held.indexOf(it), 1);
        }
      }
      for (const { slab, holders } of held) for (let left = holders; left > 0; left--) slab.letGo();
    }),
  );
});

test('a buffer that was let go is taken again', () => {
  const slab = Slab.allocate(SIZE, 0, 0);
  slab.letGo();
  const next = Slab.allocate(SIZE, 0, 0);
  expect(next.buf).toBe(slab.buf);
  next.letGo();
});

function slabAt(pos: number, length: number, first: number, count: number): Slab {
  const slab = Slab.allocate(Math.max(length, 1), pos, first);
  slab.length = length;
  slab.endN = first + count;
  return slab;
}

/** Slabs one after the other; those that are not `kept` are not in memory. */
const rows = fc.array(
  fc.record({
    length: fc.integer({ min: 1, max: 50 }),
    count: fc.integer({ min: 1, max: 9 }),
    kept: fc.boolean(),
    order: fc.nat(),
  }),
  { minLength: 1, maxLength: 20 },
);

test('a list of slabs finds what a search through all of them finds', () => {
  fc.assert(
    fc.property(rows, (row) => {
      const list = new SlabList();
      const slabs: Slab[] = [];
      let pos = 0;
      let n = 0;
      for (const { length, count, kept } of row) {
        if (kept) slabs.push(slabAt(pos, length, n, count));
        pos += length;
        n += count;
      }
      const shuffled = slabs
        .map((slab, i) => ({ slab, order: row[i]!.order }))
        .sort((a, b) => a.order - b.order);
      for (const { slab } of shuffled) list.add(slab);
      expect([...list]).toEqual(slabs);
      for (let at = 0; at <= pos; at++) {
        expect(list.at(at)).toBe(slabs.find((slab) => slab.holds(at)));
        expect(list.next(at)).toBe(slabs.find((slab) => slab.pos > at));
      }
      for (let it = 0; it <= n; it++) {
        expect(list.of(it)).toBe(slabs.find((slab) => slab.first <= it && it < slab.endN));
      }
      let first: number | undefined;
      for (let i = row.length - 1, rest = n; i >= 0 && row[i]!.kept; i--) first = rest -= row[i]!.count;
      expect(list.contiguousFrom(pos)).toBe(first);
      for (const { slab } of shuffled.slice(0, 3)) list.remove(slab);
      expect([...list]).toEqual(slabs.filter((slab) => slab.listed));
      list.clear();
      expect(slabs.some((slab) => slab.listed)).toBe(false);
    }),
  );
});

test('a cache keeps within its budget, lets the oldest go first and never the newest', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 40 }), { maxLength: 40 }), (sizes) => {
      const cache = new SlabCache(100);
      const kept: Slab[] = [];
      const owner = { dropSlab: (slab: Slab) => void expect(kept.shift()).toBe(slab) };
      for (const size of sizes) {
        const slab = Slab.allocate(size, 0, 0);
        kept.push(slab);
        cache.add(slab, owner);
        expect(cache.bytes).toBe(kept.reduce((sum, it) => sum + it.buf.length, 0));
        expect(cache.bytes).toBeLessThanOrEqual(100);
        expect(kept.at(-1)).toBe(slab);
      }
    }),
  );
});

test('a slab larger than the whole budget is kept while it is the newest', () => {
  const cache = new SlabCache(10);
  const dropped: Slab[] = [];
  const owner = { dropSlab: (slab: Slab) => void dropped.push(slab) };
  const [large, small] = [Slab.allocate(50, 0, 0), Slab.allocate(5, 50, 1)];
  cache.add(large, owner);
  expect(dropped).toEqual([]);
  cache.add(small, owner);
  expect(dropped).toEqual([large]);
  expect(cache.bytes).toBe(5);
});
