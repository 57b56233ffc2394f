import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command, Interfaces } from '@oclif/core';

const WORD = /^[a-z][a-z-]*$/;
const HELP: ReadonlySet<string> = new Set(['--help', '-help', '-h']);
/** These look at all commands. */
const NEED_ALL: ReadonlySet<string> = new Set(['help', 'complete']);

/** oclif's own loads a package to find out that it has nothing to say. */
const SILENT: Interfaces.Logger = {
  namespace: 'oclif',
  child: () => SILENT,
  debug: () => {},
  error: () => {},
  info: () => {},
  trace: () => {},
  warn: () => {},
};

/** Loads a CommonJS module: `require`. */
export type LoadModule = (path: string) => unknown;

/**
 * What oclif is started with. When the arguments begin with a command and do not ask for help, that is a plugin of this
 * command alone: reading the manifest and sorting what is in it would take longer than most commands do.
 */
export function startOptions(argv: readonly string[], root: string, load: LoadModule): Interfaces.Options {
  const end = argv.indexOf('--');
  if ((end < 0 ? argv : argv.slice(0, end)).some((argument) => HELP.has(argument))) return { root };
  const [first = '', second = ''] = argv;
  if (NEED_ALL.has(first)) return { root };
  const pjson: Interfaces.PJSON = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const directory = join(root, String(pjson.oclif.commands));
  for (const words of [[first], [first, second]]) {
    const file = `${join(directory, ...words)}.cjs`;
    if (!words.every((word) => WORD.test(word)) || !existsSync(file)) continue;
    // Nothing that a command prints is oclif's, to be coloured by a theme of the user's.
    process.env.NSQ_DISABLE_THEME = 'true';
    const plugin = pluginOf(words.join(':'), file, root, pjson, load);
    return {
      root,
      pjson,
      plugins: new Map([[plugin.name, plugin]]),
      ...(process.env.DEBUG ? {} : { logger: SILENT }),
    };
  }
  return { root };
}

function pluginOf(
  id: string,
  file: string,
  root: string,
  pjson: Interfaces.PJSON,
  loadModule: LoadModule,
): Interfaces.Plugin {
  const load = async (): Promise<Command.Class> => {
    const [command] = Object.values(loadModule(file) as Record<string, Command.Class>);
    if (command === undefined) throw new Error(`${file} has no command`);
    command.id = id;
    return command;
  };
  const command: Command.Loadable = {
    id,
    load,
    aliases: [],
    hiddenAliases: [],
    hidden: false,
    strict: false,
    args: {},
    flags: {},
  };
  return {
    _base: '',
    alias: pjson.name,
    commandIDs: [id],
    commands: [command],
    commandsDir: undefined,
    findCommand: load,
    hasManifest: true,
    hooks: {},
    isRoot: true,
    load: async () => {},
    moduleType: 'commonjs',
    name: pjson.name,
    options: { root },
    pjson,
    root,
    topics: [],
    type: 'core',
    valid: true,
    version: pjson.version,
  };
}
