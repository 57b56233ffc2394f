import { codeOf } from './errors.js';

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'no such file',
  EISDIR: 'it is a directory',
  EACCES: 'permission denied',
};

/** Why a file that the user has named cannot be read, in plain words. */
export function fileReason(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  return REASONS[codeOf(cause)] ?? cause.message;
}
