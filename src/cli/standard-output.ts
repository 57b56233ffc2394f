import type { Writable } from 'node:stream';
import { ExitCode, RunError } from './errors.js';

/** A reader that is gone ends the process quietly with 0, as `| head -1` expects; other failures go to `fail`. */
export function guardStandardOutput(fail: (error: unknown) => void): void {
  process.stdout.on('error', (cause: NodeJS.ErrnoException) => {
    if (cause.code === 'EPIPE') process.exit(ExitCode.Done);
    fail(new RunError(`cannot write to the standard output: ${cause.message}`, { cause }));
  });
}

/** Resolves when everything written before is with the operating system; rejects if it cannot be. */
export function flushed(stream: Writable): Promise<void> {
  return new Promise((resolve, reject) => {
    if (stream.destroyed || stream.writableEnded) resolve();
    else stream.write('', (error) => (error ? reject(error) : resolve()));
  });
}
