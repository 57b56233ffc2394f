/** How the process ends: done, failed at run time, used wrongly, interrupted. */
export const ExitCode = { Done: 0, Failed: 1, Usage: 2, Interrupted: 130 } as const;
export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode];

interface CliErrorOptions extends ErrorOptions {
  /** What the user can do next, as a sentence without its full stop. */
  readonly hint?: string;
}

/** Something that ends a command, with what the user can do about it. */
export abstract class CliError extends Error {
  abstract readonly code: string;
  /** The field in which oclif looks for the exit code. */
  abstract readonly oclif: { readonly exit: ExitCode };
  readonly hint: string | undefined;

  constructor(message: string, { hint, ...options }: CliErrorOptions = {}) {
    super(message, options);
    this.hint = hint;
  }
}

/** The command was used wrongly: nothing was done. */
export class UsageError extends CliError {
  override readonly name = 'UsageError';
  override readonly code = 'E_USAGE';
  override readonly oclif = { exit: ExitCode.Usage };
}

/** The command was right, but did not reach its end. */
export class RunError extends CliError {
  override readonly name = 'RunError';
  override readonly code = 'E_RUN';
  override readonly oclif = { exit: ExitCode.Failed };
}

/** Every error below one, itself first: its causes, and the parts of aggregates. */
export function* chain(error: unknown, depth = 0): Generator<Error & { code?: unknown }> {
  if (!(error instanceof Error) || depth > 8) return;
  yield error;
  if (error instanceof AggregateError) for (const part of error.errors) yield* chain(part, depth + 1);
  yield* chain(error.cause, depth + 1);
}

/** The stable code of an error, or '' if it has none. */
export function codeOf(error: Error & { code?: unknown }): string {
  return typeof error.code === 'string' ? error.code : '';
}
