import { mkdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Config } from '@oclif/core/config';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { NsqHelp } from '../../src/cli/help.js';
import { CliProcess, nsq, RUN, Serve, start, temporaryDirectory } from './cli-process.js';

const root = join(dirname(RUN), '..');
const ESCAPE = '\u001b';
/** Every command that is shown, by its words, as it was built. */
const { commands } = JSON.parse(readFileSync(join(root, 'oclif.manifest.json'), 'utf8')) as {
  commands: Record<string, { hidden?: boolean; flags: Record<string, { hidden?: boolean }> }>;
};
const SHOWN = Object.keys(commands)
  .filter((id) => !commands[id]?.hidden)
  .map((id) => id.replaceAll(':', ' '));

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
let broker: Serve;
const running: CliProcess[] = [];

beforeAll(async () => {
  directory = await temporaryDirectory();
  mkdirSync(join(directory.path, 'own'));
  broker = await Serve.start(directory.path);
});
afterEach(async () => {
  await Promise.all(running.splice(0).map((run) => run.destroy()));
});
afterAll(async () => {
  await broker.stop();
  await directory.remove();
});

describe('help', () => {
  // `nsq help help` is the help of all.
  test.each(SHOWN.filter((name) => name !== 'help'))(
    'of %s: examples first, then a line for each flag',
    async (name) => {
      const config = await Config.load({ root });
      const lines: string[] = [];
      const write = vi.spyOn(console, 'log').mockImplementation((line = '') => void lines.push(String(line)));
      await new NsqHelp(config, config.pjson.oclif.helpOptions ?? {}).showHelp(name.split(' '));
      write.mockRestore();
      const help = lines.join('\n');
      const headings = [...help.matchAll(/^[A-Z ]+$/gm)].map(([heading]) => heading);
      expect(headings.slice(0, 2)).toEqual(['EXAMPLES', 'USAGE']);
      expect(help).not.toContain(ESCAPE);
      for (const [flag, { hidden }] of Object.entries(commands[name.replaceAll(' ', ':')]?.flags ?? {})) {
        const shown = help.split('\n').filter((line) => new RegExp(`^ +--?${flag}( |$)`).test(line));
        expect([flag, shown.length]).toEqual([flag, hidden ? 0 : 1]);
      }
    },
  );

  test.each([['--help'], ['help'], ['tail', '--help'], ['tail', '-h'], ['help', 'topic', 'list'], ['topic']])(
    'nsq %s %s %s: standard output, 0',
    async (...args) => {
      const run = await nsq(args.filter((word) => typeof word === 'string'));
      expect([run.code, run.stderr]).toEqual([0, '']);
      expect(run.stdout.indexOf('USAGE')).toBeGreaterThan(run.stdout.indexOf('EXAMPLES\n'));
      expect(run.stdout).toContain('EXAMPLES\n');
      expect(run.stdout).not.toContain(ESCAPE);
    },
  );
});

test.each([
  [['tial'], 'error: unknown command "tial". Did you mean "nsq tail"?\n'],
  [['topic', 'lsit'], 'error: unknown command "topic lsit". Did you mean "nsq topic list"?\n'],
  [
    ['pub', '-v'],
    'error: unknown flag -v. See --help for the flags, and put "--" before an argument that starts with "-".\n',
  ],
  [['frobnicate'], 'error: unknown command "frobnicate". See "nsq --help" for the commands.\n'],
])('nsq %j: one line, 2', async (args, stderr) => {
  expect(await nsq(args)).toEqual({ code: 2, stdout: '', stderr });
});

test.each([['version'], ['--version'], ['tail', '-version']])('nsq %s %s: the version', async (...args) => {
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
  const run = await nsq(args.filter((word) => typeof word === 'string'));
  expect(run).toEqual({ code: 0, stdout: expect.stringContaining(`nsq/${version} `), stderr: '' });
});

/** `nsq_tail` and the others become aliases of ours. */
const ORIGINAL_LINES: readonly (readonly string[])[] = [
  ['pub', '-topic=alias', '-rate=0', '-delimiter', '\n'],
  ['tail', '-topic=alias', '-channel', 'c', '-n=1', '--print-topic=false', '-max-in-flight=10'],
];
test('command lines of the originals run as they are', async () => {
  for (const args of ORIGINAL_LINES) {
    const run = await nsq([...args, `-nsqd-tcp-address=${broker.tcpAddress}`], { input: 'one\n' });
    expect([run.code, run.stdout]).toEqual([0, args[0] === 'tail' ? 'one\n' : '']);
  }
});

/** Commands that run until they are stopped, and how each is brought to it. */
function consumers(
  readyLine = /"msg":"ready"/,
): Record<string, { args: string[]; ready: (run: CliProcess) => Promise<unknown> }> {
  const consuming = (name: string): { args: string[]; ready: () => Promise<unknown> } => ({
    args: [name, '--topic=stop', `--channel=${name}`, `--nsqd-tcp-address=${broker.tcpAddress}`],
    ready: async () => {
      const isThere = async (): Promise<boolean> =>
        (await broker.topic('stop'))?.channels.some(
          (one) => one.channel_name === name && one.client_count > 0,
        ) === true;
      while (!(await isThere())) await new Promise(setImmediate);
    },
  });
  const more = (command: ReturnType<typeof consuming>, ...args: string[]): ReturnType<typeof consuming> => ({
    ...command,
    args: [...command.args, ...args],
  });
  const port0 = ['--tcp-address=127.0.0.1:0', '--http-address=127.0.0.1:0'];
  const logged = (run: CliProcess): Promise<unknown> => run.waitFor('stderr', readyLine);
  return {
    tail: consuming('tail'),
    'to-file': more(consuming('to-file'), `--output-dir=${directory.path}`),
    'to-http': more(consuming('to-http'), '--post=http://127.0.0.1:1/'),
    'to-nsq': more(
      consuming('to-nsq'),
      `--destination-nsqd-tcp-address=${broker.tcpAddress}`,
      '--destination-topic=x',
    ),
    stat: {
      args: ['stat', '--interval=50ms', `--nsqd-http-address=${broker.httpAddress}`],
      ready: (run) => run.waitFor('stdout', /\n[^\n]*\n/),
    },
    serve: { args: ['serve', `--data-path=${join(directory.path)}/own`, ...port0], ready: logged },
    lookupd: { args: ['lookupd', ...port0], ready: logged },
  };
}

describe('a signal', () => {
  const names = ['tail', 'to-file', 'to-http', 'to-nsq', 'stat', 'serve', 'lookupd'];

  test('is tried with every command that consumes', () => {
    const consuming = SHOWN.filter((name) => 'max-in-flight' in (commands[name]?.flags ?? {}));
    expect(names).toEqual(expect.arrayContaining(consuming));
  });

  test.each(names)('ends nsq %s with 0, and a second one does not kill it', async (name) => {
    const { args, ready } = consumers()[name]!;
    for (const [signals, codes] of [
      [['SIGTERM'], [0]],
      [['SIGINT'], [0]],
      // It may be done by the time that the second one comes.
      [
        ['SIGINT', 'SIGTERM'],
        [0, 130],
      ],
    ] as const) {
      const run = start(args);
      running.push(run);
      await ready(run);
      for (const signal of signals) run.kill(signal);
      const exit = await run.exited;
      expect(codes, `${signals}: ${exit.stderr}`).toContain(exit.code);
      expect(exit.stdout + exit.stderr).not.toContain(ESCAPE);
    }
  });
});

describe('on a terminal', () => {
  const preload = fileURLToPath(new URL('../support/fake-terminal.cjs', import.meta.url));
  /** What is no text: with NO_COLOR no colours, on a dumb terminal nothing at all. */
  const SETTINGS = [
    [{ NO_COLOR: '1', TERM: 'xterm' }, new RegExp(`${ESCAPE}\\[[\\d;]*m`)],
    [{ TERM: 'dumb' }, new RegExp(ESCAPE)],
  ] as const;
  const terminal = (settings: NodeJS.ProcessEnv): NodeJS.ProcessEnv => ({
    NODE_OPTIONS: `--require="${preload}"`,
    NSQ_NSQD_HTTP_ADDRESS: broker.httpAddress,
    ...settings,
  });
  /** The commands that end by themselves, with what they are given. */
  const ENDING: Readonly<Record<string, readonly string[]>> = {
    pub: ['pub', '--topic=screen', '--file=-', '--rate=10'],
    'topic list': ['topic', 'list'],
    'topic create': ['topic', 'create', 'screen'],
    'topic pause': ['topic', 'pause', 'screen'],
    'topic unpause': ['topic', 'unpause', 'screen'],
    'topic empty': ['topic', 'empty', 'screen', '--yes'],
    'topic delete': ['topic', 'delete', 'nowhere', '--yes'],
    'channel list': ['channel', 'list', 'screen'],
    'channel create': ['channel', 'create', 'screen', 'c'],
    'channel pause': ['channel', 'pause', 'screen', 'c'],
    'channel unpause': ['channel', 'unpause', 'screen', 'c'],
    'channel empty': ['channel', 'empty', 'screen', 'c', '--yes'],
    'channel delete': ['channel', 'delete', 'screen', 'nowhere', '--yes'],
    completion: ['completion', 'bash'],
    help: ['help', 'tail'],
    version: ['version'],
  };

  test('every command is tried', () => {
    expect([...Object.keys(ENDING), ...Object.keys(consumers())].sort()).toEqual([...SHOWN].sort());
  });

  beforeAll(async () => {
    await nsq(['channel', 'create', 'screen', 'c'], { env: terminal({}) });
  });

  test('this terminal shows what moves and what is coloured', async () => {
    const { stdout } = await nsq(['stat', '--count=1'], { env: terminal({ TERM: 'xterm' }) });
    for (const [, unwanted] of SETTINGS) expect(stdout).toMatch(unwanted);
  });

  test.each(Object.entries(ENDING))('nsq %s respects NO_COLOR and TERM=dumb', async (_, args) => {
    for (const [settings, unwanted] of SETTINGS) {
      const env = { ...terminal(settings), NSQ_NSQD_TCP_ADDRESS: broker.tcpAddress };
      const run = await nsq(args, { input: '1\n2\n3\n', env });
      expect([run.code, run.stdout + run.stderr]).toEqual([0, expect.not.stringMatching(unwanted)]);
    }
  });

  test.each(['tail', 'to-file', 'to-http', 'to-nsq', 'stat', 'serve', 'lookupd'])(
    'nsq %s respects NO_COLOR and TERM=dumb',
    async (name) => {
      const { args, ready } = consumers(/\bready\b|listening/)[name]!;
      for (const [settings, unwanted] of SETTINGS) {
        const run = start(args, terminal(settings));
        running.push(run);
        await ready(run);
        run.kill('SIGTERM');
        const { code, stdout, stderr } = await run.exited;
        expect([code, stdout + stderr]).toEqual([0, expect.not.stringMatching(unwanted)]);
      }
    },
  );
});

test.each([
  ['a terminal command', 'topic list'],
  ['a help', 'tail --help'],
  ['a stream', 'tail --topic=full --channel=c -n=1'],
])('a standard output without room ends %s with 1, in one line', async (_, args) => {
  await fetch(`http://${broker.httpAddress}/pub?topic=full`, { method: 'POST', body: 'x' });
  const script = `"${process.execPath}" "${RUN}" ${args} > /dev/full`;
  const env = { NSQ_NSQD_HTTP_ADDRESS: broker.httpAddress, NSQ_NSQD_TCP_ADDRESS: broker.tcpAddress };
  const run = new CliProcess('/bin/sh', ['-c', script], env);
  running.push(run);
  const { code, stderr } = await run.exited;
  expect([code, stderr.match(/^error: .*$/gm)]).toEqual([
    1,
    ['error: cannot write to the standard output: ENOSPC: no space left on device, write'],
  ]);
});

test.each(['--help', 'completion bash', 'topic list', 'stat --json --count=3 --interval=1ms'])(
  'nsq %s | true ends quietly with 0',
  async (args) => {
    const script = `"${process.execPath}" "${RUN}" ${args} | true; exit \${PIPESTATUS[0]}`;
    const run = new CliProcess('bash', ['-c', script], { NSQ_NSQD_HTTP_ADDRESS: broker.httpAddress });
    running.push(run);
    expect(await run.exited).toEqual({ code: 0, stdout: '', stderr: '' });
  },
);
