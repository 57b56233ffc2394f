import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { QueueReader, type Unreadable } from '../../../src/broker/takeover/queue-reader.js';
import { MemoryFiles } from '../log/support/memory-files.js';
import { bodyOf, encodeRecord, messages, type NsqdMessage } from './support/nsqd-data.js';

const PATH = '/t.diskqueue.000000.dat';

interface ReadOptions {
  readonly from?: number;
  readonly window?: number;
  readonly maxMsgSize?: number;
}

function read(content: Buffer, { from = 0, window = 64, maxMsgSize = 1000 }: ReadOptions = {}) {
  const files = new MemoryFiles();
  files.put(PATH, content);
  const unreadable: Unreadable[] = [];
  const reader = new QueueReader(files, [{ path: PATH, from }], {
    window,
    maxMsgSize,
    unreadable: (stretch) => void unreadable.push(stretch),
  });
  const bodies: string[] = [];
  const ids: number[] = [];
  while (reader.next()) {
    bodies.push(reader.buf.toString('utf8', reader.start, reader.end));
    ids.push(reader.idLo);
  }
  expect(files.openCount).toBe(0);
  return { bodies, ids, lost: unreadable.map(({ offset, bytes }) => [offset, bytes]) };
}

function encode(list: readonly NsqdMessage[]): Buffer {
  return Buffer.concat(list.map(encodeRecord));
}

const TEN = messages(0, 10);
const RECORD = encodeRecord(TEN[0]!).length;

test('every field, whatever the window', () => {
  const files = new MemoryFiles();
  files.put('/a', encode([{ id: 7, attempts: 515, timestamp: 0x1122334455667788n, body: 'x'.repeat(300) }]));
  files.put('/b', encode([{ id: 8, body: '' }]));
  const parts = [
    { path: '/a', from: 0 },
    { path: '/b', from: 0 },
  ];
  const options = { window: 1, maxMsgSize: 1000, unreadable: () => {} };
  const reader = new QueueReader(files, parts, options);
  expect(reader.next()).toBe(true);
  expect(reader).toMatchObject({ attempts: 515, idHi: 0x0a000000, idLo: 7 });
  expect(reader.stamp).toEqual({ hi: 0x11223344, lo: 0x55667788 });
  expect(reader.end - reader.start).toBe(300);
  expect(reader.next()).toBe(true);
  expect([reader.idLo, reader.end - reader.start]).toEqual([8, 0]);
  expect(reader.next()).toBe(false);
});

describe('a damaged file', () => {
  test('cut at every byte: all whole records are read', () => {
    const content = encode(TEN);
    for (let size = 0; size < content.length; size++) {
      const whole = Math.floor(size / RECORD);
      const { ids, lost } = read(content.subarray(0, size));
      expect(ids).toEqual(TEN.slice(0, whole).map(({ id }) => id));
      expect(lost).toEqual(size % RECORD === 0 ? [] : [[whole * RECORD, size % RECORD]]);
    }
  });

  test('one flipped bit costs one message at the most', () => {
    fc.assert(
      fc.property(fc.nat(RECORD * 10 * 8 - 1), (bit) => {
        const content = encode(TEN);
        content[bit >> 3]! ^= 1 << (bit & 7);
        const { bodies } = read(content);
        const intact = bodies.filter((body) => TEN.some((it) => bodyOf(it) === body));
        expect(intact.length).toBeGreaterThanOrEqual(9);
      }),
      { numRuns: 500 },
    );
  });

  test('any bytes in the middle are left out', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 200 }), (junk) => {
        const content = Buffer.concat([encode(TEN.slice(0, 3)), junk, encode(TEN.slice(3))]);
        const { ids } = read(content);
        expect(ids.slice(0, 3)).toEqual([0, 1, 2]);
        expect(ids.slice(-7)).toEqual([3, 4, 5, 6, 7, 8, 9]);
      }),
      { numRuns: 300 },
    );
  });

  test('zeros at the end, as a crash of the machine leaves them', () => {
    const content = Buffer.concat([encode(TEN), Buffer.alloc(5000)]);
    const { ids, lost } = read(content);
    expect(ids).toHaveLength(10);
    expect(lost).toEqual([[RECORD * 10, 5000]]);
  });

  test('a position within a record', () => {
    expect(read(encode(TEN), { from: RECORD + 5 })).toEqual({
      ids: [2, 3, 4, 5, 6, 7, 8, 9],
      bodies: TEN.slice(2).map(bodyOf),
      lost: [[RECORD + 5, RECORD - 5]],
    });
  });
});

test('a body larger than the limit is taken if what follows is in its place', () => {
  const large = { id: 1, body: 'x'.repeat(2000) };
  expect(read(encode([TEN[0]!, large, TEN[2]!])).ids).toEqual([0, 1, 2]);
  const odd = Buffer.concat([encode([TEN[0]!, large]), Buffer.from('junk'), encode([TEN[2]!])]);
  expect(read(odd).ids).toEqual([0, 2]);
});
