import type { SettingSource } from '../resolution.js';
import { defineSettings, type Settings, type SettingValue } from '../settings.js';

/** nsqd's settings that have no effect here, so that its scripts and files still run. */
const TABLE = defineSettings({
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
export const IGNORED_SETTINGS: Settings = Object.fromEntries(
  Object.entries<Settings[string]>(TABLE).map(([flag, setting]) => [
    flag,
    { ...setting, group: 'no effect', hidden: true },
  ]),
);

/** One line for each deprecated flag that was given. */
export function deprecationWarnings(
  values: Readonly<Record<string, SettingValue | undefined>>,
  sources: ReadonlyMap<string, SettingSource>,
): string[] {
  return (['worker-id', 'verbose'] as const)
    .filter((flag) => sources.get(flag) !== 'default' && isOn(values[flag]))
    .map((flag) => `--${flag} is ${TABLE[flag].doc}`);
}

function isOn(value: SettingValue | undefined): boolean {
  return value !== undefined && value !== '' && value !== false && !OFF.has(String(value));
}

const OFF: ReadonlySet<string> = new Set(['false', 'f', '0']);
