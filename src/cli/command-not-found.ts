import type { Hook } from '@oclif/core';
import { UsageError } from './errors.js';
import { nearest } from './suggestion.js';

/** oclif's hook for a command that does not exist: suggests the near one. */
export const commandNotFound: Hook.CommandNotFound = async ({ id, config }) => {
  const commands = config.commands
    .filter((command) => !command.hidden)
    .map((command) => command.id.replaceAll(':', ' '));
  const [word = id] = id.split(':');
  const near = nearest(id.replaceAll(':', ' '), commands) ?? nearest(word, commands);
  const hint = near ? `Did you mean "nsq ${near}"?` : 'See "nsq --help" for the commands';
  const isGroup = commands.some((command) => command.startsWith(`${word} `));
  throw new UsageError(`unknown command "${isGroup ? id.replaceAll(':', ' ') : word}"`, { hint });
};
