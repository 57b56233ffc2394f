import { readdirSync } from 'node:fs';
import type { Config } from '@oclif/core';
import type { Input } from '../../src/cli/base-command.js';
import { BaseCommand } from '../../src/cli/base-command.js';
import type { Settings } from '../../src/cli/settings.js';

export type AnyCommand = typeof BaseCommand;

const directory = new URL('../../src/commands/', import.meta.url);

/** Every command that is there, by its words; a new one is here without being named. */
export const COMMANDS: ReadonlyMap<string, AnyCommand> = new Map(
  await Promise.all(
    readdirSync(directory, { recursive: true, encoding: 'utf8' })
      .filter((path) => path.endsWith('.ts'))
      .map(async (path): Promise<[string, AnyCommand]> => {
        const [command] = Object.values((await import(new URL(path, directory).href)) as object);
        return [path.slice(0, -'.ts'.length).replaceAll('/', ' '), command as AnyCommand];
      }),
  ),
);

/** Those that take settings: all but `help` and what the shells ask. */
export const WITH_SETTINGS = [...COMMANDS].filter(([, command]) => command.prototype instanceof BaseCommand);

const CONFIG = {
  bin: 'nsq',
  version: '1.2.3',
  userAgent: 'nsq/1.2.3',
  runHook: async () => ({ successes: [], failures: [] }),
} as unknown as Config;

/** The command as oclif makes it, with these arguments. */
export function commandOf(Command: AnyCommand, argv: readonly string[]): BaseCommand {
  return new (Command as unknown as new (argv: string[], config: Config) => BaseCommand)([...argv], CONFIG);
}

type Read = (table: Settings, options?: { args?: string }) => Promise<Input<Settings>>;

/** What reads a command's settings, and what it reads them by, taken from its `run` before anything is done. */
async function readerOf(Command: AnyCommand): Promise<{ settings: Settings; options: { args?: string } }> {
  const command = commandOf(Command, []);
  const reading = new Promise<{ settings: Settings; options: { args?: string } }>((resolve) => {
    const read: Read = (settings, options = {}) => {
      resolve({ settings, options });
      return new Promise(() => {});
    };
    Object.assign(command, { read });
  });
  void command.run();
  return reading;
}

export async function settingsOf(Command: AnyCommand): Promise<Settings> {
  return (await readerOf(Command)).settings;
}

/** Reads the settings as the command does with these arguments, and does nothing else. */
export async function readSettings(Command: AnyCommand, argv: readonly string[]): Promise<Input<Settings>> {
  const { settings, options } = await readerOf(Command);
  const command = commandOf(Command, argv) as unknown as { read: Read };
  return command.read(settings, options);
}
