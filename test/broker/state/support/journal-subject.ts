import { Journal } from '../../../../src/broker/state/journal.js';
import { readJournal } from '../../../../src/broker/state/journal-files.js';
import { LoggerNotes } from '../../log/support/logs.js';
import { MemoryFiles } from '../../log/support/memory-files.js';

export const DIRECTORY = '/t';
export const ID = 1;

/** A journal of one channel whose position moves on; the snapshot holds a held message for each of `bulk`. */
export class Subject {
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

export function cursorIn(files: MemoryFiles, logger = new LoggerNotes()): number | undefined {
  return readJournal(files, DIRECTORY, [], logger).state.channels.get(ID)?.cursor;
}

export function journalPaths(files: MemoryFiles): string[] {
  return files.paths().filter((path) => path.includes('journal.'));
}

/** Lets what is under way off the event loop come to its end. */
export async function settle(): Promise<void> {
  for (let i = 0; i < 4; i++) await new Promise(setImmediate);
}
