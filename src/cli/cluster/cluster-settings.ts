import { readFile } from 'node:fs/promises';
import { UsageError } from '../errors.js';
import { fileReason } from '../file-reason.js';
import { precedence, type SettingSource } from '../resolution.js';
import { defineSettings, LONGEST_TIMER_MS, type ValuesOf } from '../settings.js';
import { type HttpAddress, parseHttpAddress } from './http-address.js';
import { NodeClient } from './node-client.js';

/** Whom to ask over HTTP, for every command that looks at a cluster or changes it. */
export const CLUSTER_SETTINGS = defineSettings({
  'nsqd-http-address': {
    kind: 'strings',
    default: ['127.0.0.1:4151'],
    placeholder: 'address',
    doc: 'nsqd to ask: <host>:<port>, https://<host>:<port> or the path of a unix socket',
  },
  'lookupd-http-address': {
    kind: 'strings',
    default: [],
    placeholder: 'address',
    doc: 'lookupd that knows the nsqds, in place of --nsqd-http-address: <host>:<port>',
  },
  'http-client-connect-timeout': {
    kind: 'duration',
    default: 2000,
    min: 1,
    max: LONGEST_TIMER_MS,
    doc: 'longest wait for a connection',
  },
  'http-client-request-timeout': {
    kind: 'duration',
    default: 5000,
    min: 1,
    max: LONGEST_TIMER_MS,
    doc: 'longest wait for an answer',
  },
  'http-client-tls-root-ca-file': {
    kind: 'string',
    placeholder: 'file',
    doc: 'certificates to trust with https, PEM',
    defaultDoc: "Node's",
  },
  'http-client-tls-cert': { kind: 'string', placeholder: 'file', doc: 'certificate to show with https, PEM' },
  'http-client-tls-key': { kind: 'string', placeholder: 'file', doc: 'key of that certificate, PEM' },
  'http-client-tls-insecure-skip-verify': {
    kind: 'boolean',
    default: false,
    doc: 'take any certificate with https',
  },
});

type ClusterValues = ValuesOf<typeof CLUSTER_SETTINGS>;

/** The nsqds themselves, or the lookupds that know them: never both. */
export interface ClusterSource {
  readonly nsqds: readonly HttpAddress[];
  readonly lookupds: readonly HttpAddress[];
}

/**
 * Whichever was asked for: a flag wins over the environment, that over the file. Throws {@link UsageError} when both
 * come from the same place, and on an address that is none.
 */
export function clusterSource(
  values: ClusterValues,
  sources: ReadonlyMap<string, SettingSource>,
): ClusterSource {
  const nsqd = precedence(sources, 'nsqd-http-address');
  const lookupd = precedence(sources, 'lookupd-http-address');
  const lookupds = distinct('lookupd-http-address', values['lookupd-http-address']);
  const nsqds = distinct('nsqd-http-address', values['nsqd-http-address']);
  if (nsqds.length === 0 && lookupds.length === 0)
    throw new UsageError('--nsqd-http-address or --lookupd-http-address is needed');
  if (lookupds.length === 0 || (lookupd < nsqd && nsqds.length > 0)) return { nsqds, lookupds: [] };
  if (lookupd === nsqd && nsqds.length > 0)
    throw new UsageError('use --nsqd-http-address or --lookupd-http-address, not both');
  return { nsqds: [], lookupds };
}

/** What asks them. Throws {@link UsageError} when a file of a certificate or key cannot be read. */
export async function nodeClient(values: ClusterValues): Promise<NodeClient> {
  const [ca, cert, key] = await Promise.all(
    (['http-client-tls-root-ca-file', 'http-client-tls-cert', 'http-client-tls-key'] as const).map((flag) =>
      contentsOf(flag, values[flag]),
    ),
  );
  return new NodeClient({
    connectTimeout: values['http-client-connect-timeout'],
    requestTimeout: values['http-client-request-timeout'],
    tls: {
      ...(ca === undefined ? {} : { ca }),
      ...(cert === undefined ? {} : { cert }),
      ...(key === undefined ? {} : { key }),
      ...(values['http-client-tls-insecure-skip-verify'] ? { rejectUnauthorized: false } : {}),
    },
  });
}

async function contentsOf(flag: string, path: string | undefined): Promise<Buffer | undefined> {
  if (path === undefined || path === '') return undefined;
  try {
    return await readFile(path);
  } catch (cause) {
    throw new UsageError(`cannot read ${path}, given with --${flag}: ${fileReason(cause)}`, { cause });
  }
}

function distinct(flag: string, texts: readonly string[]): HttpAddress[] {
  const addresses = texts.map((text) => parseHttpAddress(flag, text));
  return [...new Map(addresses.map((address) => [address.text, address])).values()];
}
