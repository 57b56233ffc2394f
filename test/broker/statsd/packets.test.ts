import fc from 'fast-check';
import { expect, it } from 'vitest';
import { packetsOf } from '../../../src/broker/statsd/packets.js';

const texts = async (lines: string[], size: number): Promise<string[]> =>
  (await packetsOf(lines, size)).map(String);

it.each([
  [6, ['aa\n', 'bb\n', 'c\n'], ['aa\nbb\n', 'c\n']],
  [5, ['aa\n', 'bb\n', 'c\n'], ['aa\n', 'bb\nc\n']],
  [3, ['a\n', 'bbbbb\n', 'c\n', 'dd\n'], ['a\n', 'bbbbb\n', 'c\n', 'dd\n']],
  [3, ['ä\n', 'b\n'], ['ä\n', 'b\n']],
  [508, [], []],
])('of %i bytes', async (size, lines, packets) => {
  expect(await texts(lines, size)).toEqual(packets);
});

it('have 4096 bytes without a size, and never more than UDP takes', async () => {
  const lines = Array.from({ length: 20_000 }, () => 'seven:\n');
  expect((await packetsOf(lines, 0))[0]).toHaveLength(4095);
  expect((await packetsOf(lines, 65_535))[0]).toHaveLength(65_506);
});

it('lets others go on meanwhile', async () => {
  let turns = 0;
  const timer = setImmediate(function turn() {
    turns++;
    setImmediate(turn).unref();
  });
  await packetsOf(
    Array.from({ length: 10_000 }, () => 'x\n'),
    508,
  );
  clearImmediate(timer);
  expect(turns).toBeGreaterThan(5);
});

it('keeps every line whole and in order, in as few packets as there can be', async () => {
  const line = fc.string({ minLength: 1, maxLength: 30 }).map((text) => `${text.replaceAll('\n', '')}:1|c\n`);
  await fc.assert(
    fc.asyncProperty(fc.array(line), fc.integer({ min: 1, max: 100 }), async (lines, size) => {
      const packets = await packetsOf(lines, size);
      expect(Buffer.concat(packets).toString()).toBe(lines.join(''));
      packets.forEach((packet, index) => {
        const count = packet.toString().split('\n').length - 1;
        expect(packet.length <= size || count === 1).toBe(true);
        const next = packets[index + 1]?.toString().split(/(?<=\n)/)[0];
        if (next !== undefined) expect(packet.length + Buffer.byteLength(next)).toBeGreaterThan(size);
      });
    }),
  );
});
