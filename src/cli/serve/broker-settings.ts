import { OPTION_SPECS, type OptionSpec } from '../../broker/option-table.js';
import type { BrokerOptions } from '../../broker/settings.js';
import type { Setting, Settings, SettingValue } from '../settings.js';

const NOTED_DEFAULT = / \(default: (.*)\)$/;

/** The groups' names before the word FLAGS. */
const GROUPS: Readonly<Record<OptionSpec['group'], string>> = {
  addresses: 'address',
  storage: 'storage',
  messages: 'message',
  clients: 'client',
  logging: 'log',
};

/** The broker's own table of options as settings by flag. */
export const BROKER_SETTINGS: Settings = Object.fromEntries(
  OPTION_SPECS.map((spec) => [spec.flag, settingOf(spec)]),
);

function settingOf(spec: OptionSpec): Setting {
  const [, noted] = NOTED_DEFAULT.exec(spec.doc) ?? [];
  return {
    kind: spec.kind,
    doc: spec.doc.replace(NOTED_DEFAULT, ''),
    default: spec.default,
    group: GROUPS[spec.group],
    ...(noted === undefined ? {} : { defaultDoc: noted }),
    ...(spec.flag.endsWith('-address') ? { placeholder: 'address' } : {}),
    ...(spec.config === undefined ? {} : { config: spec.config }),
    ...(spec.choices === undefined ? {} : { choices: spec.choices }),
    ...(spec.min === undefined ? {} : { min: spec.min }),
    ...(spec.max === undefined || spec.max >= Number.MAX_SAFE_INTEGER ? {} : { max: spec.max }),
  };
}

/** What `startBroker` takes, from resolved settings. The broker checks the values once more. */
export function brokerOptions(values: Readonly<Record<string, SettingValue | undefined>>): BrokerOptions {
  // The settings were made from the same table, so that each value is of its row's kind.
  const options = Object.fromEntries(
    OPTION_SPECS.map(({ key, flag }) => [key, values[flag]]),
  ) as BrokerOptions;
  return { ...options, dataPath: options.dataPath || process.cwd() };
}
