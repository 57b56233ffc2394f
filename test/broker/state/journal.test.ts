import fc from 'fast-check';
import { expect, test } from 'vitest';
import { BrokerError } from '../../../src/broker/errors.js';
import { readJournal } from '../../../src/broker/state/journal-files.js';
import { LoggerNotes } from '../log/support/logs.js';
import { type FaultableCall, fileError, MemoryFiles } from '../log/support/memory-files.js';
import { cursorIn, DIRECTORY, ID, journalPaths, Subject, settle } from './support/journal-subject.js';

/** Bytes of a batch that says where the channel is. */
const LAST = 20 + 13;

test('what was written is read again', () => {
  const subject = new Subject();
  subject.journal.write();
  expect(cursorIn(subject.files)).toBe(0);
  for (let i = 1; i <= 20; i++) {
    subject.move();
    subject.journal.write();
    expect(cursorIn(subject.files)).toBe(i);
  }
});

test('a journal cut at any byte says what its whole batches said; a new one goes on from there', () => {
  const subject = new Subject();
  subject.journal.write();
  const path = journalPaths(subject.files)[0]!;
  // The snapshot stands there twice.
  const ends = [(8 + subject.files.get(path).length) / 2];
  for (let i = 0; i < 10; i++) {
    subject.move();
    subject.journal.write();
    ends.push(subject.files.get(path).length);
  }
  const whole = Buffer.from(subject.files.get(path));
  for (let size = 0; size <= whole.length; size++) {
    for (const rest of [Buffer.alloc(0), Buffer.alloc(5000)]) {
      const cut = new MemoryFiles();
      cut.put(path, Buffer.concat([whole.subarray(0, size), rest]));
      // Zeros that were cut off may stand there again.
      const bytes = cut.get(path);
      const differs = whole.findIndex((byte, at) => byte !== bytes[at]);
      const upTo = differs === -1 ? Math.min(whole.length, bytes.length) : differs;
      const expected = ends.findLastIndex((end) => end <= upTo);
      expect(cursorIn(cut)).toBe(expected === -1 ? undefined : expected);
      const next = new Subject(cut);
      next.cursor = 100;
      next.journal.write();
      expect(cursorIn(cut)).toBe(100);
    }
  }
});

test('a flipped bit costs the batch that it is in at the most, and never the start', () => {
  const subject = new Subject();
  subject.journal.write();
  for (let i = 0; i < 20; i++) {
    subject.move();
    subject.journal.write();
  }
  const path = journalPaths(subject.files)[0]!;
  const size = subject.files.get(path).length;
  fc.assert(
    fc.property(fc.nat(size - 1), fc.nat(7), (at, bit) => {
      const flipped = subject.files.clone();
      const bytes = flipped.get(path);
      bytes[at] = bytes[at]! ^ (1 << bit);
      const logger = new LoggerNotes();
      // Only the last batch has none behind it that says more.
      expect(cursorIn(flipped, logger)).toBe(at >= size - LAST ? 19 : 20);
      if (at >= 8) expect(logger.lines.length).toBe(1);
    }),
    { numRuns: 500 },
  );
});

test('a batch about channels is not missing if one of its copies is damaged', () => {
  const subject = new Subject();
  subject.journal.write();
  subject.journal.entries.channel(2, 7, true, 'second');
  subject.journal.entries.finished(ID, 3, 1);
  subject.journal.write();
  subject.move();
  subject.journal.write();
  const path = journalPaths(subject.files)[0]!;
  const { length } = subject.files.get(path);
  for (let at = 0; at < length; at++) {
    const flipped = subject.files.clone();
    flipped.get(path)[at]! ^= 0x10;
    const { state } = readJournal(flipped, DIRECTORY, [], new LoggerNotes());
    expect(state.channels.get(2)).toMatchObject({ cursor: 7, paused: true, name: 'second' });
    expect([...state.channels.get(ID)!.ahead]).toMatchObject([{ from: 3, to: 4 }]);
  }
});

test('a journal of which nothing is readable is set aside, and said loudly', () => {
  const subject = new Subject();
  subject.journal.write();
  const path = journalPaths(subject.files)[0]!;
  subject.files.put(path, Buffer.alloc(500, 7));
  const logger = new LoggerNotes();
  const { state, generation } = readJournal(subject.files, DIRECTORY, [], logger);
  expect([state.channels.size, generation]).toEqual([0, 1]);
  expect(subject.files.paths()).toEqual([`${path}.bad`]);
  expect(logger.lines).toEqual([expect.stringContaining('is not readable')]);
});

test('a file that is all zeros, or has no whole snapshot, gives way to the generation before it', () => {
  const subject = new Subject();
  subject.journal.write();
  subject.move();
  subject.journal.write();
  for (const bytes of [Buffer.alloc(0), Buffer.alloc(4096), Buffer.from('NSQJNL01'), Buffer.from('NSQJ')]) {
    const files = subject.files.clone();
    files.put(`${DIRECTORY}/journal.0000000007`, bytes);
    const { state, generation } = readJournal(files, DIRECTORY, [], new LoggerNotes());
    expect(state.channels.get(ID)?.cursor).toBe(1);
    expect(generation).toBe(7);
  }
});

test('a journal of a later version stops the start', () => {
  const files = new MemoryFiles();
  files.put(`${DIRECTORY}/journal.0000000001`, Buffer.from('NSQJNL02 and more'));
  expect(() => readJournal(files, DIRECTORY, [], new LoggerNotes())).toThrow(BrokerError);
});

test('a journal whose version is damaged, and its snapshot with it, is set aside', () => {
  const subject = new Subject();
  subject.journal.write();
  const path = journalPaths(subject.files)[0]!;
  const { length } = subject.files.get(path);
  const damaged = subject.files.clone();
  damaged.put(path, Buffer.concat([damaged.get(path), Buffer.from([1])]));
  for (const at of [6, length / 2, length - 1]) damaged.get(path)[at]! ^= 2;
  expect(damaged.get(path).toString('latin1', 0, 8)).toBe('NSQJNL21');
  expect(readJournal(damaged, DIRECTORY, [], new LoggerNotes()).state.channels.size).toBe(0);
  expect(damaged.paths()).toEqual([`${path}.bad`]);
});

test('the size follows what there is to say, not the history; older files go', async () => {
  const subject = new Subject();
  for (let i = 0; i < 40_000; i++) {
    subject.move();
    subject.journal.write();
  }
  await new Promise((resolve) => subject.journal.sync(resolve));
  expect(journalPaths(subject.files).length).toBe(1);
  expect(subject.files.get(journalPaths(subject.files)[0]!).length).toBeLessThan(300_000);
  expect(cursorIn(subject.files)).toBe(40_000);
});

test('whatever call a crash comes at, the journal says all that was written before', async () => {
  // Counts the calls of a run with several replacements, then ends the world at each of them in turn.
  const run = async (
    crashAt: number,
  ): Promise<{ calls: number; files: MemoryFiles; written: number; cursor: number }> => {
    const subject = new Subject();
    let calls = 0;
    let written = -1;
    let crashed: MemoryFiles | undefined;
    const writtenThen = (): number => written;
    let writtenAtCrash = -1;
    subject.files.fault = (): undefined => {
      if (calls++ === crashAt && !crashed) {
        crashed = subject.files.clone();
        writtenAtCrash = writtenThen();
      }
      return undefined;
    };
    for (let i = 0; i < 12; i++) {
      subject.move();
      if (i % 3 === 2) subject.journal.replace();
      else subject.journal.write();
      written = subject.cursor;
      if (i % 4 === 0) await new Promise((resolve) => subject.journal.sync(resolve));
    }
    await settle();
    return {
      calls,
      files: crashed ?? subject.files,
      written: crashed ? writtenAtCrash : written,
      cursor: subject.cursor,
    };
  };
  const { calls } = await run(-1);
  expect(calls).toBeGreaterThan(30);
  for (let at = 0; at < calls; at++) {
    const { files, written } = await run(at);
    const found = cursorIn(files) ?? -1;
    expect(found).toBeGreaterThanOrEqual(written);
    expect(found).toBeLessThanOrEqual(written === -1 ? 1 : written + 1);
  }
});

test('after a write that failed, the next one says everything', () => {
  const faults = fc.array(
    fc.record({
      at: fc.nat(60),
      how: fc.constantFrom<'EIO' | 'ENOSPC' | 'short'>('EIO', 'ENOSPC', 'short'),
    }),
    { minLength: 1, maxLength: 8 },
  );
  fc.assert(
    fc.property(faults, (list) => {
      const how = new Map(list.map((it) => [it.at, it.how]));
      const subject = new Subject();
      const calls: FaultableCall[] = ['open', 'write'];
      let count = 0;
      subject.files.fault = (call) => {
        if (!calls.includes(call)) return undefined;
        const fault = how.get(count++);
        if (fault === 'short') return 3;
        return fault ? fileError(fault) : undefined;
      };
      let written: number | undefined;
      for (let i = 0; i < 30; i++) {
        subject.move();
        try {
          subject.journal.write();
          written = subject.cursor;
        } catch {
          // The next write makes up for it.
        }
        if (written !== undefined) {
          const found = cursorIn(subject.files.clone());
          expect(found === written || found === subject.cursor).toBe(true);
        }
      }
      subject.files.fault = () => undefined;
      subject.move();
      subject.journal.write();
      expect(cursorIn(subject.files.clone())).toBe(subject.cursor);
    }),
    { numRuns: 100 },
  );
});

test('entries do not pile up while the disk is full', () => {
  const subject = new Subject();
  subject.journal.write();
  subject.files.fault = (call) => (call === 'open' || call === 'write' ? fileError('ENOSPC') : undefined);
  for (let i = 0; i < 1000; i++) {
    subject.move();
    expect(() => subject.journal.write()).toThrow('ENOSPC');
  }
  expect(subject.journal.entries.length).toBeLessThan(1000);
  subject.files.fault = () => undefined;
  subject.journal.write();
  expect(cursorIn(subject.files)).toBe(1000);
});
