import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type EntrySink, EntryWriter, readEntries } from '../../../src/broker/state/journal-entries.js';
import { type Call, calls, play, recorder } from './support/entries.js';

test('entries are read as they were written', () => {
  fc.assert(
    fc.property(fc.array(calls, { maxLength: 60 }), (list) => {
      const writer = new EntryWriter();
      for (const call of list) play(writer, call);
      const read: Call[] = [];
      readEntries(writer.bytes(), recorder(read));
      expect(read).toEqual(list);
      writer.clear();
      expect(writer.length).toBe(0);
    }),
  );
});

const NOBODY: EntrySink = recorder([]);

test('any bytes are read, or refused with a RangeError', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
      try {
        readEntries(Buffer.from(bytes), NOBODY);
      } catch (error) {
        expect(error).toBeInstanceOf(RangeError);
      }
    }),
  );
});

test('an entry that is cut is refused', () => {
  fc.assert(
    fc.property(calls, fc.nat(), (call, cut) => {
      const writer = new EntryWriter();
      play(writer, call);
      const bytes = writer.bytes();
      const size = 1 + (cut % (bytes.length - 1));
      if (size < bytes.length) expect(() => readEntries(bytes.subarray(0, size), NOBODY)).toThrow(RangeError);
    }),
  );
});
