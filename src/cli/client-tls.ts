import { readFileSync } from 'node:fs';
import type { SecureVersion } from 'node:tls';
import type { TlsOptions } from '../client/tls-options.js';
import { UsageError } from './errors.js';
import { fileReason } from './file-reason.js';
import { parseSetting } from './setting-value.js';

/** go-nsq's names for how a connection is encrypted; together they are our option `tls`. */
export const TLS_OPTIONS: ReadonlySet<string> = new Set([
  'tls_v1',
  'tls_root_ca_file',
  'tls_cert',
  'tls_key',
  'tls_insecure_skip_verify',
  'tls_min_version',
]);

const VERSIONS: Readonly<Record<string, SecureVersion>> = {
  'ssl3.0': 'TLSv1',
  'tls1.0': 'TLSv1',
  'tls1.1': 'TLSv1.1',
  'tls1.2': 'TLSv1.2',
  'tls1.3': 'TLSv1.3',
};

/**
 * The client's `tls` option from go-nsq's, by name. As there, only `tls_v1` switches it on: the others say how.
 * @throws UsageError on a value that does not fit, or a file that cannot be read
 */
export function clientTls(flag: string, given: ReadonlyMap<string, string>): TlsOptions | undefined {
  const file = (name: string): string | undefined => {
    const path = given.get(name);
    return path === undefined || path === '' ? undefined : readPem(path, `--${flag} ${name}`);
  };
  const switched = (name: string): boolean =>
    parseSetting({ kind: 'boolean' }, given.get(name) ?? 'false', `--${flag} ${name}`) === true;
  const ca = file('tls_root_ca_file');
  const cert = file('tls_cert');
  const key = file('tls_key');
  if ((cert === undefined) !== (key === undefined))
    throw new UsageError(`--${flag} tls_cert and --${flag} tls_key go together`);
  const version = given.get('tls_min_version');
  const minVersion = version === undefined ? undefined : VERSIONS[version.toLowerCase()];
  if (version !== undefined && minVersion === undefined) {
    const known = Object.keys(VERSIONS).join(', ');
    throw new UsageError(`invalid value for --${flag} tls_min_version: "${version}" is none of ${known}`);
  }
  const insecure = switched('tls_insecure_skip_verify');
  if (!switched('tls_v1')) return undefined;
  return { ca, cert, key, minVersion, ...(insecure ? { rejectUnauthorized: false } : {}) };
}

function readPem(path: string, source: string): string {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    throw new UsageError(`invalid value for ${source}: cannot read ${path}: ${fileReason(cause)}`, { cause });
  }
  if (text.includes('-----BEGIN ')) return text;
  throw new UsageError(`invalid value for ${source}: ${path} is not PEM (-----BEGIN …)`);
}
