import { BrokerError } from './errors.js';
import { OPTION_SPECS, type OptionSpec } from './option-table.js';
import type { BrokerOptions, BrokerSettings } from './settings.js';

/**
 * Fills in the defaults of an embedded broker and checks every value.
 * @throws BrokerError E_OPTION, with the option's name and what it may be.
 */
export function resolveOptions(options: BrokerOptions): BrokerSettings {
  const values: Record<string, string | number> = {};
  for (const spec of OPTION_SPECS) {
    const value = options[spec.key] ?? spec.embedded ?? spec.default;
    checkOption(spec, value);
    values[spec.key] = value;
  }
  // Every key of the settings is a row of the table, checked just now (and by a test for completeness).
  return values as unknown as BrokerSettings;
}

function checkOption(spec: OptionSpec, value: string | number): void {
  if (spec.kind === 'string' || spec.kind === 'choice') {
    if (typeof value !== 'string') throw new BrokerError('E_OPTION', `${spec.key} must be a text`);
    if (spec.choices && !spec.choices.includes(value)) {
      throw new BrokerError(
        'E_OPTION',
        `${spec.key} must be one of ${spec.choices.join(', ')}, not '${value}'`,
      );
    }
    return;
  }
  const { min = 0, max = Number.MAX_SAFE_INTEGER } = spec;
  const whole = spec.kind === 'duration' || Number.isSafeInteger(value);
  if (typeof value !== 'number' || !whole || !(value >= min && value <= max)) {
    throw new BrokerError('E_OPTION', `${spec.key} must be a number from ${min} to ${max}, not ${value}`);
  }
}
