import { CliError, ExitCode } from '../errors.js';

const HINTS: Readonly<Record<string, string>> = {
  ENOSPC: 'Make room, and start it again',
  EDQUOT: 'Make room, and start it again',
  EACCES: 'Choose directories that you may write to with --output-dir and --work-dir',
  EROFS: 'Choose directories that you may write to with --output-dir and --work-dir',
};

/** A file could not be written: no message that is not on disk was finished. */
class FileError extends CliError {
  override readonly name = 'FileError';
  override readonly code = 'E_FILE';
  override readonly oclif = { exit: ExitCode.Failed };

  /** @param what was tried, as in `write to` */
  constructor(what: string, path: string, cause: unknown) {
    const { code = '', message } = cause as NodeJS.ErrnoException;
    const reason = message.replace(/^[A-Z0-9]+: /, '').replace(/, \w+( '.*)?$/s, '');
    const rest = 'What is not on disk was not finished and comes again';
    super(`cannot ${what} ${path}: ${reason}`, { cause, hint: HINTS[code] ?? rest });
  }
}

/** What `work` gives; what it rejects with becomes a {@link FileError}. */
export async function guarded<T>(what: string, path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    throw new FileError(what, path, cause);
  }
}

/** Whether it says that a file is there already. */
export function isExisting(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'EEXIST';
}
