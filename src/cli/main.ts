import { ExitError } from '@oclif/core/errors';
import { handle } from '@oclif/core/handle';
import { run } from '@oclif/core/run';
import { names } from '../net/names.js';
import { explain, renderExplanation } from './explanation.js';
import { resolveInProcesses } from './name-process.js';
import { type LoadModule, startOptions } from './sole-command.js';
import { flushed, guardStandardOutput } from './standard-output.js';

const DEBUG_PATTERN = /(^|[\s,])(\*|nsq(\*|:|$|[\s,]))/;

/**
 * Runs the command line of a process to its end, which is `process.exit`. `root` is where package.json lies; `load` is
 * the `require` of who calls, since to make one here would load much of Node.
 */
export async function main(argv: readonly string[], root: string, load: LoadModule): Promise<void> {
  guardStandardOutput(fail);
  resolveInProcesses(names);
  process.on('uncaughtException', fail);
  process.on('unhandledRejection', fail);
  try {
    await run([...argv], startOptions(argv, root, load));
    await flushed(process.stdout);
    process.exit();
  } catch (error) {
    await fail(error);
  }
}

let isEnding = false;

async function fail(error: unknown): Promise<void> {
  // What fails in the end of a failure, such as the last write to a disk that is full, would have no end.
  if (isEnding) return;
  isEnding = true;
  if (error instanceof ExitError) return end(error.oclif.exit ?? 0);
  const explanation = explain(error);
  process.stderr.write(`${renderExplanation(explanation)}\n`);
  if (DEBUG_PATTERN.test(process.env.DEBUG ?? '') && error instanceof Error) {
    const { inspect } = await import('node:util');
    process.stderr.write(`${inspect(error)}\n`);
  }
  return end(explanation.exit);
}

/** What was written before the end still reaches its reader; `handle` then only exits. */
async function end(code: number): Promise<void> {
  await Promise.allSettled([flushed(process.stdout), flushed(process.stderr)]);
  await handle(new ExitError(code));
}
