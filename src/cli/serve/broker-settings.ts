import { OPTION_SPECS, type OptionSpec } from '../../broker/option-table.js';
import type { BrokerOptions } from '../../broker/settings.js';
import { daemonSettings } from '../daemon-settings.js';
import type { Settings, SettingValue } from '../settings.js';

/** The groups' names before the word FLAGS. */
const GROUPS: Readonly<Record<OptionSpec['group'], string>> = {
  addresses: 'address',
  storage: 'storage',
  messages: 'message',
  clients: 'client',
  security: 'TLS and authorization',
  statsd: 'statsd',
  logging: 'log',
};

/** The broker's own table of options as settings by flag. */
export const BROKER_SETTINGS: Settings = daemonSettings(OPTION_SPECS, GROUPS);

/** What `startBroker` takes, from resolved settings. The broker checks the values once more. */
export function brokerOptions(
  values: Readonly<Record<string, SettingValue | undefined>>,
): BrokerOptions & { dataPath: string } {
  // The settings were made from the same table, so that each value is of its row's kind.
  const options = Object.fromEntries(
    OPTION_SPECS.map(({ key, flag }) => [key, values[flag]]),
  ) as BrokerOptions;
  return { ...options, dataPath: options.dataPath || process.cwd() };
}
