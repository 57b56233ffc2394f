import type { ConfigFile } from './config-file.js';
import { parseSetting, settingFromToml } from './setting-value.js';
import { configKeys, environmentName, type Setting, type Settings, type SettingValue } from './settings.js';
import { nearest } from './suggestion.js';

/** Where values come from, the weakest first. */
const SOURCES = ['default', 'file', 'environment', 'flag'] as const;

export type SettingSource = (typeof SOURCES)[number];

/** How strong the source of a flag's value is: of two settings that exclude each other, the higher number wins. */
export function precedence(sources: ReadonlyMap<string, SettingSource>, flag: string): number {
  return SOURCES.indexOf(sources.get(flag) ?? 'default');
}

/** What oclif's parser leaves of the command line: the texts, unparsed. */
export type GivenFlags = Readonly<Record<string, string | boolean | readonly string[] | undefined>>;

export interface Resolution {
  readonly values: Readonly<Record<string, SettingValue | undefined>>;
  readonly sources: ReadonlyMap<string, SettingSource>;
  /** One line for each key of the file that no setting has. */
  readonly warnings: readonly string[];
}

/** Flag over environment over file over default. Throws a `UsageError` that names the flag, variable or key. */
export function resolveSettings(
  settings: Settings,
  flags: GivenFlags,
  environment: NodeJS.ProcessEnv,
  file?: ConfigFile,
): Resolution {
  const values: Record<string, SettingValue | undefined> = {};
  const sources = new Map<string, SettingSource>();
  for (const [flag, setting] of Object.entries(settings)) {
    const [source, value] =
      fromFlag(flag, setting, flags[flag]) ??
      fromEnvironment(flag, setting, environment) ??
      fromFile(flag, setting, file) ??
      (['default', setting.default] as const);
    values[flag] = value;
    sources.set(flag, source);
  }
  return { values, sources, warnings: file ? unknownKeys(settings, file) : [] };
}

type Found = readonly [SettingSource, SettingValue];

function fromFlag(flag: string, setting: Setting, given: GivenFlags[string]): Found | undefined {
  if (given === undefined) return undefined;
  if (typeof given === 'boolean') return ['flag', given];
  const name = flag.length === 1 ? `-${flag}` : `--${flag}`;
  const values = (typeof given === 'string' ? [given] : given).map((text) =>
    parseSetting(setting, text, name),
  );
  if (setting.kind === 'strings')
    return ['flag', values.flatMap((items) => (Array.isArray(items) ? items : []))];
  if (setting.kind === 'fractions') {
    const numbers = values.flatMap((items): number[] => (Array.isArray(items) ? items : []));
    // As nsqd: those of flags are put in order, the largest first; those of a file stay in theirs.
    return ['flag', numbers.sort((a, b) => b - a)];
  }
  // As in Go, the last one counts: a script's flag can be overridden behind it.
  const last = values.at(-1);
  return last === undefined ? undefined : ['flag', last];
}

function fromEnvironment(flag: string, setting: Setting, environment: NodeJS.ProcessEnv): Found | undefined {
  const name = environmentName(flag);
  const text = environment[name];
  if (setting.flagOnly || text === undefined || text === '') return undefined;
  return ['environment', parseSetting(setting, text, name)];
}

function fromFile(flag: string, setting: Setting, file: ConfigFile | undefined): Found | undefined {
  if (!file || setting.flagOnly) return undefined;
  const key = configKeys(flag, setting).find((candidate) => file.values[candidate] !== undefined);
  if (key === undefined) return undefined;
  return ['file', settingFromToml(setting, file.values[key], `${key} in ${file.path}`)];
}

function unknownKeys(settings: Settings, file: ConfigFile): string[] {
  const known = new Set(Object.entries(settings).flatMap(([flag, setting]) => configKeys(flag, setting)));
  return Object.keys(file.values)
    .filter((key) => !known.has(key))
    .map((key) => {
      const near = nearest(key, known);
      return `${file.path}: the key ${key} is unknown and ignored${near ? ` (did you mean ${near}?)` : ''}`;
    });
}
