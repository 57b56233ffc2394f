import { cpSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { CliProcess, type Exit, RUN, temporaryDirectory } from './cli-process.js';

const root = join(dirname(RUN), '..');
let directory: Awaited<ReturnType<typeof temporaryDirectory>>;

/** An installation of its own, as a Node finds it for which no code was kept when it was built. */
beforeAll(async () => {
  directory = await temporaryDirectory();
  for (const path of ['bin', 'package.json', 'oclif.manifest.json', join('dist', 'bin')])
    cpSync(join(root, path), join(directory.path, path), { recursive: true });
  symlinkSync(join(root, 'node_modules'), join(directory.path, 'node_modules'));
  for (const path of kept()) rmSync(path);
});
afterAll(() => directory.remove());

const bin = (): string => join(directory.path, 'dist', 'bin');
const kept = (): string[] =>
  readdirSync(bin(), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.includes('.cache'))
    .map((path) => join(bin(), path));
const runWith = (options: string, ...args: string[]): Promise<Exit> => {
  const env = { NODE_OPTIONS: options, NODE_COMPILE_CACHE: join(directory.path, 'of-node') };
  return new CliProcess(process.execPath, [join(directory.path, 'bin', 'run.js'), ...args], env).exited;
};
const run = (...args: string[]): Promise<Exit> => runWith('', ...args);

test("a run with Node's own options keeps nothing, since what it makes goes with them", async () => {
  expect(await runWith('--max-old-space-size=100', 'version')).toMatchObject({ code: 0, stderr: '' });
  expect(kept()).toEqual([]);
});

test('the first runs keep their code, several at a time; what is kept and broken does no harm', async () => {
  const first = await Promise.all([run('version'), run('version'), run('version')]);
  for (const exit of first) expect(exit).toMatchObject({ code: 0, stderr: '' });
  const main = kept().filter((path) => path.includes('main.cjs.'));
  // Node 20's V8 would take what another processor's has made.
  expect(main).toEqual([
    expect.stringMatching(`${process.version}-${process.platform}-${process.arch}.cache$`),
  ]);

  const before = kept().length;
  expect(await run('topic', 'list', '--frob')).toMatchObject({ code: 2, stdout: '' });
  expect(kept().length).toBeGreaterThan(before);

  writeFileSync(join(bin(), 'build-id'), 'another');
  expect(await run('version')).toEqual(first[0]);
  expect(kept()).toContainEqual(expect.stringContaining('main.cjs.another-'));

  for (const path of kept()) writeFileSync(path, 'broken');
  expect(await run('version')).toEqual(first[0]);
  expect(await run('--help')).toMatchObject({ code: 0, stderr: '' });
});
