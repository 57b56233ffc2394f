// Bundles the command line and what it uses of the packages into dist/bin: a module for each command, which loads little
// else. The library's modules in dist stay as they are.
import { createHash } from 'node:crypto';
import { readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'rolldown';
import { lazyRequires } from './lazy-requires.js';

const root = fileURLToPath(new URL('..', import.meta.url));
const commands = readdirSync(`${root}/src/commands`, { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.ts'))
  .map((path) => path.slice(0, -'.ts'.length).replaceAll('\\', '/'));

/** Scripts with a code cache cannot import, but a module of Node's own can be required just as well. */
const requireOfNode = {
  name: 'require-of-node',
  renderChunk: (code) => code.replaceAll(/\bimport\(("node:[\w/]+")\)/g, 'Promise.resolve(require($1))'),
};

/** oclif asks whether Linux is in Windows, for its `platform`, which nothing here uses. */
const withoutWsl = {
  name: 'without-wsl',
  resolveId: (id) => (id === 'wsl-utils' ? '\0wsl-utils' : null),
  load: (id) =>
    id === '\0wsl-utils' ? 'export const isWsl = false; export const powerShellPath = () => "";' : null,
};

/** CommonJS packages that oclif only uses to print help or to look for plugins. */
const SELDOM =
  /(?<!\/ora\/)node_modules\/(?:balanced-match|brace-expansion|cli-spinners|color-convert|color-name|ejs|emoji-regex|fdir|lilconfig|minimatch|picomatch|tinyglobby)\//;

/** The chunk of these is loaded when something of it is used first, which is safe: its modules run only then. */
const lazySeldom = {
  name: 'lazy-seldom',
  renderChunk: (code) => {
    const [line, name, load] = /^const ([\w$]+) = (require\("[./\w]+seldom-[^"]+"\));$/m.exec(code) ?? [];
    if (!line) return null;
    const uses = new RegExp(`(?<![\\w$.])${name.replaceAll('$', '\\$')}(?![\\w$])`, 'g');
    return code.replace(line, '').replaceAll(uses, () => load);
  },
};

// In another place, so that the commands are there while they are built.
const next = `${root}/dist/bin.next`;
rmSync(next, { recursive: true, force: true });
const { output } = await build({
  cwd: root,
  input: {
    main: 'src/cli/main.ts',
    help: 'src/cli/help.ts',
    'command-not-found': 'src/cli/command-not-found.ts',
    ...Object.fromEntries(commands.map((path) => [`commands/${path}`, `src/commands/${path}.ts`])),
  },
  platform: 'node',
  // oclif looks for TypeScript when it runs from sources, which it does not here.
  external: ['typescript'],
  tsconfig: 'tsconfig.json',
  logLevel: 'warn',
  plugins: [lazyRequires(/@oclif\/core\/lib\//), withoutWsl, requireOfNode, lazySeldom],
  output: {
    dir: next,
    format: 'cjs',
    charset: 'ascii',
    codeSplitting: {
      groups: [{ name: 'seldom', test: SELDOM }],
    },
    entryFileNames: '[name].cjs',
    chunkFileNames: 'chunks/[name]-[hash].cjs',
    comments: { legal: true, annotation: false, jsdoc: false },
  },
});
const hash = createHash('sha256');
for (const it of output) hash.update(it.fileName).update(it.type === 'chunk' ? it.code : it.source);
writeFileSync(`${next}/build-id`, hash.digest('hex').slice(0, 16));
rmSync(`${root}/dist/bin`, { recursive: true, force: true });
renameSync(next, `${root}/dist/bin`);
