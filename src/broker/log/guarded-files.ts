import type { Files } from './files.js';

/** Sees to it that nothing is written to a data path that is another broker's. */
export interface FileGuard {
  /**
   * @param anew what was seen a moment ago does not count
   * @throws why nothing may be written
   */
  check(anew?: boolean): void;
}

/**
 * The same calls, behind a guard. What changes a file by its path, which may lead elsewhere by now, asks it anew; what
 * writes to an open file asks it before, and again before it says that it was done. Files are closed in any case.
 */
export function guardedFiles(files: Files, guard: FileGuard): Files {
  const refusal = (): Error | null => {
    try {
      guard.check();
      return null;
    } catch (error) {
      return error as Error;
    }
  };
  const checked = <T>(call: () => T): T => {
    guard.check();
    const result = call();
    guard.check();
    return result;
  };
  const anew = <T>(call: () => T): T => {
    guard.check(true);
    return call();
  };
  return {
    openSync: (path, flags) => {
      if (flags !== 'r') guard.check(true);
      return files.openSync(path, flags);
    },
    closeSync: (fd) => files.closeSync(fd),
    writeSync: (fd, buf, offset, length, position) => {
      guard.check();
      const written = files.writeSync(fd, buf, offset, length, position);
      guard.check();
      return written;
    },
    // To read takes long, too, where much is read: with each look the lock is renewed.
    readSync: (fd, buf, offset, length, position) => {
      guard.check();
      return files.readSync(fd, buf, offset, length, position);
    },
    read: (fd, buf, offset, length, position, done) => files.read(fd, buf, offset, length, position, done),
    write: (fd, buf, offset, length, position, done) => {
      const refused = refusal();
      if (refused) return void setImmediate(done, refused, 0);
      files.write(fd, buf, offset, length, position, (error, bytes) => done(error ?? refusal(), bytes));
    },
    ftruncateSync: (fd, length) => checked(() => files.ftruncateSync(fd, length)),
    fdatasyncSync: (fd) => checked(() => files.fdatasyncSync(fd)),
    fdatasync: (fd, done) => files.fdatasync(fd, (error) => done(error ?? refusal())),
    fstatSync: (fd) => files.fstatSync(fd),
    renameSync: (from, to) => anew(() => files.renameSync(from, to)),
    unlinkSync: (path) => anew(() => files.unlinkSync(path)),
    mkdirSync: (path) => anew(() => files.mkdirSync(path)),
    readdirSync: (path) => files.readdirSync(path),
    isFileSync: (path) => files.isFileSync(path),
    rmSync: (path) => anew(() => files.rmSync(path)),
  };
}
