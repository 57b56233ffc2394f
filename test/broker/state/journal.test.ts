import fc from 'fast-check';
import { expect, test } from 'vitest';
import { BrokerError } from '../../../src/broker/errors.js';
import { Journal } from '../../../src/broker/state/journal.js';
import { readJournal } from '../../../src/broker/state/journal-files.js';
import { LoggerNotes } from '../log/support/logs.js';
import { type FaultableCall, fileError, MemoryFiles } from '../log/support/memory-files.js';
import { UnsureFiles } from '../log/support/unsure-files.js';

const DIRECTORY = '/t';
const ID = 1;
/** Bytes of a batch that says where the channel is. */
const LAST = 20 + 13;

/** A journal of one channel whose position moves on; the snapshot holds a held message for each of `bulk`. */
class Subject {
  readonly files: MemoryFiles;
  readonly journal: Journal;
  cursor = 0;
  bulk = 0;

  constructor(files = new MemoryFiles()) {
    this.files = files;
    const { generation } = readJournal(files, DIRECTORY, [], new LoggerNotes());
    this.journal = new Journal(files, DIRECTORY, generation, new LoggerNotes(), (into) => {
      into.channel(ID, this.cursor, false, 'ch');
      for (let n = 0; n < this.bulk; n++) into.held(ID, n * 2, 1, 1);
    });
  }

  move(): void {
    this.cursor++;
    this.journal.entries.cursor(ID, this.cursor);
  }
}

function cursorIn(files: MemoryFiles, logger = new LoggerNotes()): number | undefined {
  return readJournal(files, DIRECTORY, [], logger).state.channels.get(ID)?.cursor;
}

function journalPaths(files: MemoryFiles): string[] {
  return files.paths().filter((path) => path.includes('journal.'));
}

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

/** Lets what is under way off the event loop come to its end. */
async function settle(): Promise<void> {
  for (let i = 0; i < 4; i++) await new Promise(setImmediate);
}

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

test('a journal that is replaced while it is being synced is not closed under the sync', async () => {
  const subject = new Subject();
  subject.files.manual = true;
  subject.journal.write();
  const result = new Promise((done) => subject.journal.sync(done));
  subject.journal.replace();
  while (subject.files.step());
  expect(await result).toBeNull();
  expect(subject.journal.unsynced).toBe(true);
  const again = new Promise((done) => subject.journal.sync(done));
  subject.journal.close();
  while (subject.files.step());
  expect(await again).toBeNull();
  expect(subject.files.openCount).toBe(0);
});

test('after a sync that failed, the next one is of a new file that says everything', async () => {
  const files = new UnsureFiles();
  const { journal } = Object.assign(new Subject(files), { cursor: 7 });
  journal.write();
  files.failing = 1;
  const sync = (): Promise<unknown> => new Promise((done) => journal.sync(done));
  expect(await sync()).toMatchObject({ code: 'EIO' });
  expect(journal.unsynced).toBe(true);
  expect(await sync()).toBeNull();
  expect(journal.unsynced).toBe(false);
  expect(cursorIn(files.afterPowerFailure())).toBe(7);
  journal.close();
  while (files.pending.length > 0) await new Promise(setImmediate);
  expect(files.openCount).toBe(0);
});

test('a new file whose directory could not be synced is not said to be there, and another one takes over', async () => {
  const files = new UnsureFiles();
  const subject = new Subject(files);
  const sync = (): Promise<Error | null> => new Promise((resolve) => subject.journal.sync(resolve));
  subject.journal.write();
  files.failingDirectories = 2;
  expect(await sync()).toMatchObject({ code: 'EIO' });
  expect(subject.journal.unsynced).toBe(true);
  expect(cursorIn(files.afterPowerFailure())).toBeUndefined();
  expect(await sync()).toMatchObject({ code: 'EIO' });
  subject.move();
  subject.journal.write();
  expect(await sync()).toBeNull();
  expect(cursorIn(files.afterPowerFailure())).toBe(1);
  await settle();
  // A later one that takes over, too; the one before stays as long as it is needed.
  for (const failing of [0, 1, 2, 5]) {
    files.failingDirectories = failing;
    subject.move();
    subject.journal.replace();
    await settle();
    const before = subject.cursor;
    for (;;) {
      const error = await sync();
      await settle();
      expect(cursorIn(files.afterPowerFailure())).toBeGreaterThanOrEqual(error ? before - 1 : before);
      if (!error) break;
    }
    expect(subject.journal.unsynced).toBe(false);
  }
  await settle();
  expect(journalPaths(files)).toHaveLength(1);
  subject.journal.close();
  expect(files.openCount).toBe(0);
});

test('a sync of the directory that fails counts for the file that took over meanwhile, too', async () => {
  const files = new UnsureFiles();
  const subject = new Subject(files);
  const sync = (): Promise<Error | null> => new Promise((resolve) => subject.journal.sync(resolve));
  subject.journal.write();
  files.manual = true;
  const first = sync();
  files.step();
  subject.move();
  subject.journal.replace();
  files.failingDirectories = 1;
  files.step();
  expect(await first).toMatchObject({ code: 'EIO' });
  files.manual = false;
  expect(await sync()).toBeNull();
  expect(cursorIn(files.afterPowerFailure())).toBe(1);
});

test('one that works does not count for a file that took over meanwhile', async () => {
  const files = new UnsureFiles();
  const subject = new Subject(files);
  subject.journal.write();
  files.manual = true;
  const first = new Promise<Error | null>((resolve) => subject.journal.sync(resolve));
  files.step();
  // The second has the first one's descriptor, as with numbers that the system gives again.
  subject.journal.replace();
  files.reuse = true;
  subject.journal.replace();
  files.step();
  expect(await first).toBeNull();
  files.manual = false;
  files.failingDirectories = 1;
  expect(await new Promise((resolve) => subject.journal.sync(resolve))).toMatchObject({ code: 'EIO' });
});

test('at its end, a sync that failed is tried again', async () => {
  const files = new UnsureFiles();
  const subject = new Subject(files);
  subject.journal.write();
  files.failing = 1;
  expect(await subject.journal.end()).toBeUndefined();
  expect(cursorIn(files.afterPowerFailure())).toBe(0);
  files.failing = 2;
  const other = new Subject(files);
  other.journal.write();
  expect(await other.journal.end()).toMatchObject({ code: 'EIO' });
  expect(files.openCount).toBe(0);
});
