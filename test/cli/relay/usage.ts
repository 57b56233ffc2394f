import { fileURLToPath } from 'node:url';
import { UsageError } from '../../../src/cli/errors.js';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));

interface RunnableCommand {
  run(args: string[], root: string): Promise<unknown>;
}

/** The message with which a command refuses its arguments, before it has done anything. */
export async function usageError(command: RunnableCommand, args: string[]): Promise<string> {
  try {
    await command.run(args, ROOT);
  } catch (error) {
    if (error instanceof UsageError) return error.message;
    throw error;
  }
  throw new Error('the arguments were taken');
}
