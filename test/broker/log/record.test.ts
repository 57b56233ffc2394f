import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  RECORD_OVERHEAD,
  recordLength,
  type Stamp,
  setStamp,
  writeAttempts,
  writeRecordHeader,
} from '../../../src/broker/log/record.js';
import { takeFrames } from '../../support/wire.js';

function nanoseconds(stamp: Stamp): bigint {
  return (BigInt(stamp.hi) << 32n) | BigInt(stamp.lo);
}

function viewOf(buf: Buffer): DataView {
  return new DataView(buf.buffer, buf.byteOffset, buf.length);
}

test('a stamp is the time in nanoseconds, to the microsecond that a double can carry', () => {
  const micros = fc.integer({ min: 0, max: 4_102_444_800_000 * 1000 });
  fc.assert(
    fc.property(micros, (us) => {
      const stamp = { hi: 0, lo: 0 };
      setStamp(stamp, us / 1000);
      const distance = nanoseconds(stamp) - BigInt(us) * 1000n;
      expect(distance < 1000n && distance > -1000n).toBe(true);
      expect(stamp.lo).toBeLessThan(2 ** 32);
      expect(Number.isInteger(stamp.hi) && Number.isInteger(stamp.lo)).toBe(true);
    }),
  );
});

test('whole milliseconds give the exact halves', () => {
  for (const ms of [0, 1, 999, 1000, 1_700_000_000_000, 1_795_313_989_972, 4_294_967_295, 4_294_967_296]) {
    const stamp = { hi: 0, lo: 0 };
    setStamp(stamp, ms);
    expect(nanoseconds(stamp)).toBe(BigInt(ms) * 1_000_000n);
  }
});

test('stamps of growing times never go back', () => {
  fc.assert(
    fc.property(
      fc.double({ min: 1.7e12, max: 1.8e12, noNaN: true }),
      fc.double({ min: 0, max: 5, noNaN: true }),
      (ms, later) => {
        const [one, other] = [
          { hi: 0, lo: 0 },
          { hi: 0, lo: 0 },
        ];
        setStamp(one!, ms);
        setStamp(other!, ms + later);
        expect(nanoseconds(other!) >= nanoseconds(one!)).toBe(true);
      },
    ),
  );
});

test('the header of a record and its body are the frame of its first delivery, wherever it lies', () => {
  const half = fc.integer({ min: 0, max: 2 ** 32 - 1 });
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 300 }),
      fc.nat(20),
      half,
      half,
      half,
      half,
      (body, at, hi, lo, idHi, idLo) => {
        const buf = Buffer.alloc(at + RECORD_OVERHEAD + body.length + 5, 0xee);
        const end = at + RECORD_OVERHEAD + body.length;
        const stamp = { hi: hi >>> 1, lo };
        writeRecordHeader(viewOf(buf), at, body.length, stamp, idHi, idLo);
        expect(buf.subarray(0, at).every((byte) => byte === 0xee)).toBe(true);
        expect(buf.subarray(at + RECORD_OVERHEAD).every((byte) => byte === 0xee)).toBe(true);
        buf.set(body, at + RECORD_OVERHEAD);
        expect(recordLength(buf, at)).toBe(end - at);
        const { frames, rest } = takeFrames(buf.subarray(at, end), 'typed');
        expect(rest.length).toBe(0);
        expect(frames).toEqual([
          {
            type: 'message',
            timestamp: nanoseconds(stamp),
            attempts: 1,
            id: idHi.toString(16).padStart(8, '0') + idLo.toString(16).padStart(8, '0'),
            body: Buffer.from(body),
          },
        ]);
      },
    ),
  );
});

test('attempts are written over, and nothing else', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 65535 }), (attempts) => {
      const buf = Buffer.alloc(RECORD_OVERHEAD + 3);
      writeRecordHeader(viewOf(buf), 0, 3, { hi: 1, lo: 2 }, 3, 4);
      const before = takeFrames(buf, 'typed').frames[0];
      writeAttempts(buf, 0, attempts);
      expect(takeFrames(buf, 'typed').frames[0]).toEqual({ ...before, attempts });
    }),
  );
});
