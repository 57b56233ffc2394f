import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { explain, renderExplanation } from '../../src/cli/explanation.js';
import { formatSetting } from '../../src/cli/setting-value.js';
import { configKeys, environmentName, type Setting } from '../../src/cli/settings.js';
import { temporaryDirectory } from '../e2e/cli-process.js';
import {
  type AnyCommand,
  COMMANDS,
  commandOf,
  readSettings,
  settingsOf,
  WITH_SETTINGS,
} from './all-commands.js';

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;

beforeEach(async () => {
  directory = await temporaryDirectory();
  for (const name of Object.keys(process.env)) if (name.startsWith('NSQ_')) vi.stubEnv(name, '');
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await directory.remove();
});

describe.each([...COMMANDS])('nsq %s', (name, command) => {
  test('says in one sentence what it does', () => {
    expect(command.summary).toMatch(/^[A-Z].*\.$/);
    expect(command.usage).toMatch(new RegExp(`^${name}( |$)`));
  });
});

describe.each([...COMMANDS].filter(([, command]) => !command.hidden))('nsq %s', (name, command) => {
  test('has examples, with flags that exist', () => {
    expect(command.examples.length).toBeGreaterThan(1);
    for (const example of command.examples as { command: string }[]) {
      expect(example.command).toMatch(new RegExp(`^(source <\\()?nsq ${name}( |$)`));
      const [own = ''] = example.command.split(' | ');
      for (const [, flag = ''] of own.matchAll(/ --?([a-z][a-z-]*)/g))
        expect(Object.keys(command.flags)).toContain(flag);
    }
  });
});

/** How each command is told wrong, and what it says then. */
describe.each(WITH_SETTINGS)('nsq %s', (_name, command) => {
  test('explains each flag in one line; each can be repeated or negated', () => {
    for (const flag of Object.values(command.flags)) {
      expect(flag.description).toMatch(/^[^\n]{10,160}$/);
      if (flag.type === 'boolean') expect(flag.allowNo).toBe(true);
      else
        expect(flag).toMatchObject({
          multiple: true,
          multipleNonGreedy: true,
          helpValue: expect.stringMatching(/^<.+>$/),
        });
    }
  });

  test('takes the common flags', () => {
    expect(Object.keys(command.flags)).toEqual(expect.arrayContaining(['config', 'color', 'version']));
  });

  test('suggests the flag that was meant', async () => {
    for (const flag of Object.keys(command.flags).filter((one) => one.length > 4)) {
      const misspelt = `--${flag.slice(0, 2)}${flag.slice(3)}`;
      expect(await complaint(command, [misspelt])).toBe(
        `error: unknown flag ${misspelt}. Did you mean --${flag}?`,
      );
    }
  });

  test('refuses a value that is none, from each place, in a line that names it', async () => {
    for (const [flag, setting] of Object.entries(await settingsOf(command))) {
      if (setting.kind === 'string' || setting.kind === 'strings') continue;
      const dashed = flag.length === 1 ? `-${flag}` : `--${flag}`;
      expect(await complaint(command, [`${dashed}=nonsense`])).toMatch(
        new RegExp(`^error: invalid value for ${dashed}: .*"nonsense"`),
      );
      if (setting.flagOnly) continue;
      vi.stubEnv(environmentName(flag), 'nonsense');
      expect(await complaint(command, [])).toMatch(
        new RegExp(`^error: invalid value for ${environmentName(flag)}: `),
      );
      vi.stubEnv(environmentName(flag), '');
      const file = join(directory.path, 'wrong.toml');
      await writeFile(file, `${configKeys(flag, setting)[0]} = "nonsense"`);
      expect(await complaint(command, ['--config', file])).toMatch(
        new RegExp(`^error: invalid value for ${configKeys(flag, setting)[0]} in ${file}: `),
      );
    }
  });

  test("takes flags in each of Go's forms", async () => {
    for (const [flag, setting] of Object.entries(await settingsOf(command))) {
      if (flag === 'version' || flag === 'config') continue;
      const forms = setting.kind === 'boolean' ? booleanForms(flag) : valueForms(flag, setting);
      for (const [argv, expected] of forms) {
        const { values, sources, args } = await readSettings(command, argv);
        expect([argv, values[flag]]).toEqual([
          argv,
          expected ?? (await readSettings(command, forms[0]![0])).values[flag],
        ]);
        expect([sources.get(flag), args]).toEqual(['flag', []]);
      }
    }
  });

  test('takes settings from the environment and from a file, a flag over both', async () => {
    const settings = Object.entries(await settingsOf(command)).filter(
      ([flag, { flagOnly }]) => !flagOnly && flag !== 'config',
    );
    const lines = settings.map(([flag, setting]) => {
      const value = sample(setting);
      return `${configKeys(flag, setting)[0]} = ${setting.kind === 'boolean' ? value : JSON.stringify(value)}`;
    });
    const file = join(directory.path, 'settings.toml');
    await writeFile(file, [...new Set(lines)].join('\n'));
    vi.stubEnv('NSQ_CONFIG', file);
    const fromFile = await readSettings(command, []);
    for (const [flag] of settings) expect([flag, fromFile.sources.get(flag)]).toEqual([flag, 'file']);

    for (const [flag, setting] of settings) vi.stubEnv(environmentName(flag), sample(setting));
    const fromEnvironment = await readSettings(command, ['--no-color']);
    for (const [flag] of settings) {
      const source = flag === 'color' ? 'flag' : 'environment';
      expect([flag, fromEnvironment.sources.get(flag)]).toEqual([flag, source]);
      if (flag !== 'color') expect(fromEnvironment.values[flag]).toEqual(fromFile.values[flag]);
    }
  });

  test.each(['--version', '-version'])('%s prints the version and ends', async (flag) => {
    const write = vi.spyOn(console, 'log').mockImplementation(() => {});
    await expect(commandOf(command, [flag]).run()).rejects.toMatchObject({ oclif: { exit: 0 } });
    expect(write.mock.calls).toEqual([
      [expect.stringMatching(/^nsq\/1\.2\.3$|^nsq(lookup)?d v[\d.]+ \(nsq\/1\.2\.3\)$/)],
    ]);
    write.mockRestore();
  });

  test('a configuration file that is not there: one line, 2', async () => {
    expect(await complaint(command, ['--config', '/nowhere.toml'])).toBe(
      'error: cannot read the configuration file /nowhere.toml: no such file',
    );
  });
});

const CLIENTS = (['nsqd', 'lookupd'] as const).flatMap((daemon) =>
  // to-file is left running: it waits for its lookupds.
  WITH_SETTINGS.filter(([name, { flags }]) => name !== 'to-file' && `${daemon}-http-address` in flags).map(
    ([name, command]) => ({ name, daemon, flag: `${daemon}-http-address`, command }),
  ),
);
const CONSUMERS = WITH_SETTINGS.filter(([, { flags }]) => 'nsqd-tcp-address' in flags).map(
  ([name, command]) => ({ name, daemon: 'nsqd' as const, flag: 'nsqd-tcp-address', command }),
);

test.each([...CLIENTS, ...CONSUMERS])(
  'nsq $name: a refused connection to $flag says what to do next, and ends with 1',
  async ({ daemon, flag, command }) => {
    const write = vi.spyOn(process.stderr, 'write').mockImplementation(() => true);
    const argv = [...requiredArguments(command), `--${flag}=127.0.0.1:1`];
    const error = await commandOf(command, argv)
      .run()
      .then(
        () => undefined,
        (reason: unknown) => reason,
      );
    write.mockRestore();
    const start = daemon === 'nsqd' ? 'nsq serve' : 'nsq lookupd';
    expect(renderExplanation(explain(error))).toMatch(
      new RegExp(`^error: [^\\n]*127\\.0\\.0\\.1:1\\b[^\\n]*refused[^\\n]*${start}[^\\n]*$`),
    );
    expect(explain(error).exit).toBe(1);
  },
);

/** The error line of a command that is used wrongly. */
async function complaint(command: AnyCommand, argv: readonly string[]): Promise<string> {
  const error = await readSettings(command, argv).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  const explanation = explain(error);
  expect([argv, explanation.exit]).toEqual([argv, 2]);
  const line = renderExplanation(explanation);
  expect(line).not.toContain('\n');
  return line;
}

type Forms = readonly (readonly [readonly string[], unknown?])[];

function booleanForms(flag: string): Forms {
  return [
    [[`--${flag}`], true],
    [[`-${flag}`], true],
    [[`-${flag}=true`], true],
    [[`--${flag}=false`], false],
    [[`-${flag}=0`], false],
    [[`--no-${flag}`], false],
  ];
}

function valueForms(flag: string, setting: Setting): Forms {
  const value = sample(setting);
  const dashes = flag.length === 1 ? ['-'] : ['--', '-'];
  const joined = dashes.map((dash) => [`${dash}${flag}=${value}`]);
  // One that may stand bare takes no value from the next word, as in Go.
  const apart = setting.bare === undefined ? dashes.map((dash) => [`${dash}${flag}`, value]) : [];
  return [...joined, ...apart].map((argv) => [argv]);
}

/** A value that the setting takes. */
function sample(setting: Setting): string {
  const { kind, choices = [], default: byDefault, min = 1, max = Number.POSITIVE_INFINITY } = setting;
  if (kind === 'choice') return choices.find((choice) => choice !== '') ?? '';
  if (kind === 'boolean') return 'true';
  if (setting.check !== undefined && byDefault === '') return SAMPLES[setting.placeholder ?? ''] ?? '';
  if (setting.check !== undefined && typeof byDefault === 'string') return byDefault;
  if (kind === 'string' || kind === 'strings') return 'value';
  if (kind === 'fractions') return '1,0.5';
  const number = typeof byDefault === 'number' ? byDefault : Math.min(Math.max(min, 1), max);
  return formatSetting(setting, number);
}

const SAMPLES: Readonly<Record<string, string>> = { url: 'http://127.0.0.1:1/', address: '127.0.0.1:1' };

/** What the usage says is needed: of alternatives the first. */
function requiredArguments({ usage, flags }: AnyCommand): string[] {
  const needed = String(usage)
    .replaceAll(/\[[^\]]*\]/g, '')
    .replaceAll(/\(([^|)]*)[^)]*\)/g, '$1');
  const given = [...needed.matchAll(/(?:(--[a-z-]+) )?<([a-z]+)>/g)].map(([, flag, what = '']) => {
    const value = SAMPLES[what] ?? what;
    return flag === undefined ? value : `${flag}=${value}`;
  });
  const more = { yes: '--yes', 'output-dir': `--output-dir=${directory.path}` };
  return [...given, ...Object.entries(more).flatMap(([flag, text]) => (flag in flags ? [text] : []))];
}
