import { expect, test } from 'vitest';
import { UnsureFiles } from '../log/support/unsure-files.js';
import { cursorIn, journalPaths, Subject, settle } from './support/journal-subject.js';

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
