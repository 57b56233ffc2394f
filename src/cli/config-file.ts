import { readFileSync } from 'node:fs';
import { parse } from 'smol-toml';
import { UsageError } from './errors.js';
import { fileReason } from './file-reason.js';

/** A configuration file's top-level keys. */
export interface ConfigFile {
  readonly path: string;
  readonly values: Readonly<Record<string, unknown>>;
}

/** Throws {@link UsageError} if the file cannot be read or is not TOML, with the line. */
export async function readConfigFile(path: string): Promise<ConfigFile> {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    throw new UsageError(`cannot read the configuration file ${path}: ${fileReason(cause)}`, { cause });
  }
  try {
    return { path, values: parse(text) };
  } catch (cause) {
    const where = cause instanceof Error && 'line' in cause ? `:${cause.line}` : '';
    const reason = cause instanceof Error ? (cause.message.split('\n')[0] ?? '') : String(cause);
    throw new UsageError(`the configuration file ${path}${where} is not valid TOML: ${reason}`, { cause });
  }
}
