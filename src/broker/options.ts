import { resolveDaemonOptions } from '../daemon/options.js';
import { BrokerError } from './errors.js';
import { OPTION_SPECS } from './option-table.js';
import type { BrokerOptions, BrokerSettings } from './settings.js';

/**
 * Fills in the defaults of an embedded broker and checks every value.
 * @throws BrokerError E_OPTION, with the option's name and what it may be.
 */
export function resolveOptions(options: BrokerOptions): BrokerSettings {
  const values = resolveDaemonOptions(
    OPTION_SPECS,
    options,
    (message) => new BrokerError('E_OPTION', message),
  );
  // Every key of the settings is a row of the table (a test sees to that), and was checked just now.
  return values as unknown as BrokerSettings;
}
