import { Command } from '@oclif/core/command';
import { parse } from '@oclif/core/parser';
import { readConfigFile } from './config-file.js';
import { UsageError } from './errors.js';
import { COMMON_SETTINGS, flagsFor } from './flags.js';
import { normalizeGoFlags } from './go-flags.js';
import { type GivenFlags, resolveSettings, type SettingSource } from './resolution.js';
import type { Settings, ValuesOf } from './settings.js';
import { nearest } from './suggestion.js';
import { Terminal } from './terminal.js';

export interface Input<T extends Settings> {
  readonly values: ValuesOf<T & typeof COMMON_SETTINGS>;
  readonly sources: ReadonlyMap<string, SettingSource>;
  /** The arguments that are no flags, in their order. */
  readonly args: readonly string[];
  readonly terminal: Terminal;
}

/** What every command shares: how its settings are read. Errors go up to `main`, which renders them. */
export abstract class BaseCommand extends Command {
  // Excess arguments are refused by `read`; oclif's strict mode would take `nsq tail x` for an unknown command.
  static override readonly strict = false;
  /** The original's program and version that it stands in for: scripts ask for it by `--version`. Empty for none. */
  protected readonly standsFor: string = '';

  static settingsFlags(settings: Settings): ReturnType<typeof flagsFor> {
    return flagsFor({ ...settings, ...COMMON_SETTINGS });
  }

  /**
   * The settings of the table from flags, environment and file, and the arguments if `args` names them. Throws
   * {@link UsageError}.
   */
  protected async read<const T extends Settings>(table: T, { args = '' } = {}): Promise<Input<T>> {
    const settings: Settings = { ...table, ...COMMON_SETTINGS };
    const { flags, given } = await this.#parse(settings);
    if (flags.version) {
      const { userAgent } = this.config;
      this.log(this.standsFor === '' ? userAgent : `${this.standsFor} (${userAgent})`);
      this.exit(0);
    }
    if (args === '' && given.length > 0) throw unexpectedArgument(given[0]!, settings);

    const common = resolveSettings({ config: COMMON_SETTINGS.config }, flags, process.env);
    const path = common.values.config;
    const file = typeof path === 'string' && path !== '' ? await readConfigFile(path) : undefined;
    const { values, sources, warnings } = resolveSettings(settings, flags, process.env, file);
    const terminal = new Terminal({ color: typeof values.color === 'boolean' ? values.color : undefined });
    for (const warning of warnings) terminal.warn(warning);
    return { values: values as Input<T>['values'], sources, args: given, terminal };
  }

  async #parse(settings: Settings): Promise<{ flags: GivenFlags; given: readonly string[] }> {
    const argv = normalizeGoFlags(this.argv, settings);
    const parsed = await parse(argv, {
      flags: flagsFor(settings),
      args: {},
      strict: false,
      context: this,
    });
    this.parsed = true;
    // Not `parsed.argv`: that is sorted, which moves an argument that is given twice.
    const given = parsed.raw.flatMap((token) => (token.type === 'arg' ? [token.input] : []));
    return { flags: parsed.flags, given };
  }
}

function unexpectedArgument(argument: string, settings: Settings): UsageError {
  const near = nearest(argument, Object.keys(settings));
  const hint = near ? `Did you mean --${near}?` : 'See --help for what it takes';
  return new UsageError(`unexpected argument "${argument}"`, { hint });
}
