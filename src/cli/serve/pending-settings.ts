import { OPTION_SPECS } from '../../broker/option-table.js';
import { RunError } from '../errors.js';
import type { SettingSource } from '../resolution.js';
import { defineSettings, type Settings, type SettingValue } from '../settings.js';

/**
 * nsqd's settings that have no effect here, so that its scripts and files still run: those of features that are not
 * there yet, and those that this broker's design does not need.
 */
const TABLE = defineSettings({
  'https-address': { kind: 'string', default: '0.0.0.0:4152', doc: 'address for HTTPS clients' },
  'tls-cert': { kind: 'string', default: '', doc: 'certificate file' },
  'tls-key': { kind: 'string', default: '', doc: "the certificate's key file" },
  'tls-client-auth-policy': {
    kind: 'string',
    default: '',
    doc: 'client certificates: require or require-verify',
  },
  'tls-root-ca-file': { kind: 'string', default: '', doc: 'certificate authority file' },
  'tls-required': {
    kind: 'choice',
    choices: ['true', 'false', 'tcp-https', '1', '0', 't', 'f'],
    default: 'false',
    bare: 'true',
    placeholder: 'true|false|tcp-https',
    doc: 'require TLS of clients',
  },
  'tls-min-version': { kind: 'string', default: '', doc: 'least TLS version' },
  'auth-http-address': { kind: 'strings', default: [], config: 'auth_http_addresses', doc: 'auth server' },
  'auth-http-request-method': { kind: 'string', default: 'get', doc: 'HTTP method for auth servers' },
  'statsd-address': { kind: 'string', default: '', doc: 'UDP address of a statsd daemon' },
  'statsd-prefix': { kind: 'string', default: 'nsq.%s', doc: 'prefix of keys sent to statsd' },
  'statsd-interval': { kind: 'duration', default: 60_000, doc: 'time between pushes to statsd' },
  'statsd-mem-stats': { kind: 'boolean', default: true, doc: 'send memory figures to statsd' },
  'statsd-udp-packet-size': { kind: 'size', default: 508, doc: 'bytes of a statsd packet' },
  'statsd-exclude-ephemeral': { kind: 'boolean', default: false, doc: 'leave ephemeral names out of statsd' },
  'e2e-processing-latency-percentile': {
    kind: 'strings',
    default: [],
    config: 'e2e_processing_latency_percentiles',
    doc: 'percentiles of the processing time',
  },
  'e2e-processing-latency-window-time': {
    kind: 'duration',
    default: 600_000,
    doc: 'window of these percentiles',
  },
  deflate: { kind: 'boolean', default: true, doc: 'offer deflate to clients' },
  'max-deflate-level': { kind: 'int', default: 6, doc: 'highest deflate level that a client may ask for' },
  snappy: { kind: 'boolean', default: true, doc: 'offer snappy to clients' },
  'enable-experiment': { kind: 'strings', default: [], doc: 'experimental features' },
  'queue-scan-worker-pool-max': {
    kind: 'int',
    default: 4,
    doc: 'not needed: deadlines are armed, not scanned for',
  },
  'queue-scan-selection-count': {
    kind: 'int',
    default: 20,
    doc: 'not needed: deadlines are armed, not scanned for',
  },
  'worker-id': { kind: 'boolean', default: false, doc: 'deprecated: use --node-id', flagOnly: true },
  verbose: { kind: 'boolean', default: false, doc: 'deprecated: use --log-level', flagOnly: true },
});

const EFFECTIVE = new Set(OPTION_SPECS.map((spec) => spec.flag));

/** Without those that the broker's table has by now. */
export const PENDING_SETTINGS: Settings = Object.fromEntries(
  Object.entries<Settings[string]>(TABLE)
    .filter(([flag]) => !EFFECTIVE.has(flag))
    .map(([flag, setting]) => [flag, { ...setting, group: 'no effect yet', hidden: true }]),
);

/** A feature that is not there yet, and the settings that ask for it. */
interface PendingFeature {
  readonly name: string;
  readonly consequence: string;
  readonly askedBy: readonly string[];
}

const FEATURES: readonly PendingFeature[] = [
  {
    name: 'TLS',
    consequence: 'connections are NOT encrypted',
    askedBy: ['tls-cert', 'tls-key', 'tls-root-ca-file', 'https-address'],
  },
  { name: 'compression', consequence: 'clients are answered uncompressed', askedBy: ['deflate', 'snappy'] },
  { name: 'statsd', consequence: 'nothing is pushed', askedBy: ['statsd-address'] },
  {
    name: 'end-to-end latency',
    consequence: 'no percentiles are kept',
    askedBy: ['e2e-processing-latency-percentile'],
  },
  { name: 'experiments', consequence: 'none is enabled', askedBy: ['enable-experiment'] },
];

/** Features whose absence would leave a door open that was to be shut. */
const SAFEGUARDS: readonly Omit<PendingFeature, 'consequence'>[] = [
  { name: 'TLS', askedBy: ['tls-required', 'tls-client-auth-policy'] },
  { name: 'AUTH', askedBy: ['auth-http-address'] },
];

/**
 * Refuses to start without a safeguard that was asked for.
 * @throws RunError
 */
export function checkSafeguards(values: Readonly<Record<string, SettingValue | undefined>>): void {
  for (const { name, askedBy } of SAFEGUARDS) {
    const flag = askedBy.find((it) => PENDING_SETTINGS[it] !== undefined && asksForSomething(values[it]));
    if (flag === undefined) continue;
    throw new RunError(`--${flag} asks for ${name}, which is not available yet`, {
      hint: 'Start without it only where every client may be trusted',
    });
  }
}

/** One line for each feature that was asked for and is not there, and for each deprecated flag. */
export function pendingWarnings(
  values: Readonly<Record<string, SettingValue | undefined>>,
  sources: ReadonlyMap<string, SettingSource>,
): string[] {
  const asked = (flag: string): boolean =>
    PENDING_SETTINGS[flag] !== undefined && sources.get(flag) !== 'default' && asksForSomething(values[flag]);
  const features = FEATURES.flatMap(({ name, consequence, askedBy }) => {
    const flags = askedBy.filter(asked).map((flag) => `--${flag}`);
    return flags.length === 0
      ? []
      : [`${name} is not available yet: ${flags.join(', ')} ignored, ${consequence}`];
  });
  const deprecated = ['worker-id', 'verbose']
    .filter(asked)
    .map((flag) => `--${flag} is ${TABLE[flag as 'verbose'].doc}`);
  return [...features, ...deprecated];
}

function asksForSomething(value: SettingValue | undefined): boolean {
  const nothing =
    value === undefined || value === '' || value === false || value === 'false' || value === '0';
  return !nothing && value !== 'f' && !(Array.isArray(value) && value.length === 0);
}
