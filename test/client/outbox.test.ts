import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Outbox } from '../../src/client/outbox.js';

it('hands out what was put in, in order, small or large', () => {
  const put = fc.oneof(
    fc.record({ size: fc.integer({ min: 1, max: 200 }), claim: fc.boolean() }),
    fc.record({ size: fc.integer({ min: 15_000, max: 70_000 }), claim: fc.constant(false) }),
  );
  fc.assert(
    fc.property(fc.array(fc.tuple(put, fc.boolean()), { maxLength: 40 }), (steps) => {
      const outbox = new Outbox();
      const put: Buffer[] = [];
      const taken: Buffer[] = [];
      steps.forEach(([{ size, claim }, take], step) => {
        const bytes = Buffer.alloc(size, step);
        put.push(bytes);
        if (claim) {
          const at = outbox.claim(size);
          bytes.copy(outbox.slab, at);
        } else {
          outbox.add(bytes);
        }
        if (take) taken.push(...outbox.take());
      });
      taken.push(...outbox.take());
      expect(outbox.size).toBe(0);
      expect(Buffer.concat(taken).equals(Buffer.concat(put))).toBe(true);
    }),
  );
});

it('does not copy a command that goes out alone', () => {
  const outbox = new Outbox();
  const command = Buffer.from('a');
  outbox.add(command);
  expect(outbox.size).toBe(1);
  const [taken] = outbox.take();
  expect(taken).toBe(command);
  expect([outbox.size, outbox.take()]).toEqual([0, []]);
});

it('copies small commands and keeps large ones as they are', () => {
  const outbox = new Outbox();
  const large = Buffer.alloc(20_000, 'l');
  outbox.add(Buffer.from('a'));
  outbox.add(Buffer.from('b'));
  outbox.add(large);
  outbox.add(Buffer.from('c'));
  const parts = outbox.take();
  expect(parts).toHaveLength(3);
  expect(parts[0]?.toString()).toBe('ab');
  expect(parts[1]).toBe(large);
});
