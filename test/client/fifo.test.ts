import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Fifo } from '../../src/client/fifo.js';

it('does what an array does', () => {
  const step = fc.oneof(
    fc.record({ what: fc.constant('push' as const), value: fc.nat() }),
    fc.record({ what: fc.constant('unshift' as const), value: fc.nat() }),
    fc.record({ what: fc.constantFrom('shift' as const, 'filter' as const, 'drain' as const) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const fifo = new Fifo<number>();
      let model: number[] = [];
      for (const one of steps) {
        if (one.what === 'push') model.push(one.value) && fifo.push(one.value);
        else if (one.what === 'unshift') model.unshift(one.value) && fifo.unshift(one.value);
        else if (one.what === 'shift') expect(fifo.shift()).toBe(model.shift());
        else if (one.what === 'drain') expect(fifo.drain()).toEqual(model.splice(0));
        else {
          model = model.filter((value) => value % 2 === 0);
          fifo.filter((value) => value % 2 === 0);
        }
        expect(fifo.size).toBe(model.length);
      }
      expect(fifo.drain()).toEqual(model);
    }),
  );
});
