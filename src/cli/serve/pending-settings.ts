import type { SettingSource } from '../resolution.js';
import { defineSettings, type Settings, type SettingValue } from '../settings.js';

/**
 * nsqd's settings that have no effect here, so that its scripts and files still run: those of features that are not
 * there yet, and those that this broker's design does not need.
 */
const TABLE = defineSettings({
  'statsd-address': { kind: 'string', default: '', doc: 'UDP address of a statsd daemon' },
  'statsd-prefix': { kind: 'string', default: 'nsq.%s', doc: 'prefix of keys sent to statsd' },
  'statsd-interval': { kind: 'duration', default: 60_000, doc: 'time between pushes to statsd' },
  'statsd-mem-stats': { kind: 'boolean', default: true, doc: 'send memory figures to statsd' },
  'statsd-udp-packet-size': { kind: 'size', default: 508, doc: 'bytes of a statsd packet' },
  'statsd-exclude-ephemeral': { kind: 'boolean', default: false, doc: 'leave ephemeral names out of statsd' },
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

/** The table's settings, left out of the help. */
export const PENDING_SETTINGS: Settings = Object.fromEntries(
  Object.entries<Settings[string]>(TABLE).map(([flag, setting]) => [
    flag,
    { ...setting, group: 'no effect yet', hidden: true },
  ]),
);

/** A feature that is not there yet, and the settings that ask for it. */
interface PendingFeature {
  readonly name: string;
  readonly consequence: string;
  readonly askedBy: readonly string[];
}

const FEATURES: readonly PendingFeature[] = [
  { name: 'statsd', consequence: 'nothing is pushed', askedBy: ['statsd-address'] },
  { name: 'experiments', consequence: 'none is enabled', askedBy: ['enable-experiment'] },
];

/** One line for each feature that was asked for and is not there, and for each deprecated flag. */
export function pendingWarnings(
  values: Readonly<Record<string, SettingValue | undefined>>,
  sources: ReadonlyMap<string, SettingSource>,
): string[] {
  const asked = (flag: string): boolean => sources.get(flag) !== 'default' && asksForSomething(values[flag]);
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
