import { ExitError } from '@oclif/core/errors';
import { handle } from '@oclif/core/handle';
import { run } from '@oclif/core/run';
import { explain, renderExplanation } from './explanation.js';
import { startOptions } from './sole-command.js';
import { flushed, guardStandardOutput } from './standard-output.js';

const DEBUG_PATTERN = /(^|[\s,])(\*|nsq(\*|:|$|[\s,]))/;

/** Runs the command line of a process to its end, which is `process.exit`. `root` is where package.json lies. */
export async function main(argv: readonly string[], root: string): Promise<void> {
  guardStandardOutput(fail);
  process.on('uncaughtException', fail);
  process.on('unhandledRejection', fail);
  try {
    await run([...argv], startOptions(argv, root));
    await flushed(process.stdout);
    process.exit();
  } catch (error) {
    await fail(error);
  }
}

async function fail(error: unknown): Promise<void> {
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
