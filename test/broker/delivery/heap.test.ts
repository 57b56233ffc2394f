import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Heap } from '../../../src/broker/delivery/heap.js';

interface Item {
  readonly key: number;
}

function drain(heap: Heap<Item>): number[] {
  const keys: number[] = [];
  for (let item = heap.shift(); item; item = heap.shift()) keys.push(item.key);
  return keys;
}

const ascending = (a: number, b: number): number => a - b;

describe('Heap', () => {
  it('gives the least key first', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -50, max: 50 })), (keys) => {
        const heap = new Heap<Item>(({ key }) => key);
        for (const key of keys) heap.push({ key });
        expect(heap.length).toBe(keys.length);
        expect(heap.first?.key).toBe(keys.length === 0 ? undefined : Math.min(...keys));
        expect([...heap].map(({ key }) => key).sort(ascending)).toEqual([...keys].sort(ascending));
        expect(drain(heap)).toEqual([...keys].sort(ascending));
      }),
    );
  });

  it('is in order whatever is put in, taken out and dropped between', () => {
    const step = fc.oneof(fc.integer({ min: 0, max: 30 }), fc.constantFrom('shift', 'retain'));
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const heap = new Heap<Item>(({ key }) => key);
        let model: number[] = [];
        for (const it of steps) {
          if (it === 'shift') expect(heap.shift()?.key).toBe(model.shift());
          else if (it === 'retain') {
            heap.retain(({ key }) => key % 3 !== 0);
            model = model.filter((key) => key % 3 !== 0);
          } else {
            heap.push({ key: it as number });
            model = [...model, it as number].sort(ascending);
          }
        }
        expect(drain(heap)).toEqual(model);
      }),
    );
  });

  it('is empty after clear', () => {
    const heap = new Heap<Item>(({ key }) => key);
    heap.push({ key: 1 });
    heap.clear();
    expect([heap.length, heap.first, heap.shift()]).toEqual([0, undefined, undefined]);
  });
});
