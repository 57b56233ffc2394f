import { UsageError } from './errors.js';
import { parseBoolean } from './setting-value.js';
import type { Settings } from './settings.js';

/**
 * Rewrites what Go's flag package accepts, and the originals' scripts use, into what oclif's parser expects:
 * `-topic x` and `-topic=x` become `--topic …`, `--gzip=false` becomes `--no-gzip`, a bare `--tls-required` gets its
 * value. Values stay as they are, and so does everything from `--` on.
 */
export function normalizeGoFlags(argv: readonly string[], settings: Settings): string[] {
  const chars = new Set(Object.values(settings).map(({ char }) => char as string | undefined));
  const result: string[] = [];
  for (let index = 0; index < argv.length; index++) {
    const argument = argv[index]!;
    if (argument === '--') return [...result, ...argv.slice(index)];
    const [, dashes, name, , inline] = /^(--?)([a-zA-Z][^=]*)(=(.*))?$/s.exec(argument) ?? [];
    if (!dashes || !name) {
      result.push(argument);
      continue;
    }
    if (dashes === '-' && chars.has(name[0]!) && /^.\d*$/.test(name)) {
      // `-n 5`, `-n=5` and `-n5` are understood as they are; the first one's value must not be taken for a flag.
      result.push(argument);
      if (name.length === 1 && inline === undefined) index = copyValue(argv, index, result);
      continue;
    }
    const setting = settings[name];
    if (setting?.kind === 'boolean') {
      result.push(booleanFlag(name, inline));
    } else if (inline !== undefined) {
      result.push(`--${name}=${inline}`);
    } else if (setting?.bare !== undefined) {
      result.push(`--${name}=${setting.bare}`);
    } else {
      result.push(`--${name}`);
      if (setting) index = copyValue(argv, index, result);
    }
  }
  return result;
}

/** Copies the value that follows a flag; returns its index. */
function copyValue(argv: readonly string[], index: number, result: string[]): number {
  const value = argv[index + 1];
  if (value === undefined) return index;
  result.push(value);
  return index + 1;
}

function booleanFlag(name: string, inline: string | undefined): string {
  if (inline === undefined) return `--${name}`;
  const value = parseBoolean(inline);
  if (value === undefined)
    throw new UsageError(`invalid value for --${name}: "${inline}" is neither true nor false`);
  return value ? `--${name}` : `--no-${name}`;
}
