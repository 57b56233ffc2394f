import { LOOKUPD_OPTION_SPECS, type LookupdOptions } from '../../lookupd/index.js';
import { daemonSettings } from '../daemon-settings.js';
import type { Settings, SettingValue } from '../settings.js';

/** The lookupd's own table of options as settings by flag. */
export const LOOKUPD_SETTINGS: Settings = daemonSettings(LOOKUPD_OPTION_SPECS, {
  addresses: 'address',
  directory: 'directory',
  logging: 'log',
});

/** nsqlookupd's settings that have no effect, so that its scripts still run. */
export const DEPRECATED_LOOKUPD_SETTINGS: Settings = {
  verbose: {
    kind: 'boolean',
    default: false,
    doc: 'deprecated: use --log-level',
    flagOnly: true,
    hidden: true,
    group: 'no effect',
  },
};

/** What `startLookupd` takes, from resolved settings. The lookupd checks the values once more. */
export function lookupdOptions(values: Readonly<Record<string, SettingValue | undefined>>): LookupdOptions {
  // The settings were made from the same table, so that each value is of its row's kind.
  return Object.fromEntries(
    LOOKUPD_OPTION_SPECS.map(({ key, flag }) => [key, values[flag]]),
  ) as LookupdOptions;
}
