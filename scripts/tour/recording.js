import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const RUN = fileURLToPath(new URL('../../bin/run.js', import.meta.url));

/**
 * @typedef {object} Step
 * @property {string} comment
 * @property {string} shown as it is typed
 * @property {string[]} args
 * @property {string[]} [asTerminal] flags that bring out what a terminal would get
 * @property {string} [input]
 */

/** @type {readonly Step[]} */
const STEPS = [
  {
    comment: 'a message a line',
    shown: 'seq 1 10000 | nsq pub --topic orders',
    args: ['pub', '--topic', 'orders'],
    asTerminal: ['--verbose'],
    input: Array.from({ length: 10_000 }, (_, index) => `${index + 1}\n`).join(''),
  },
  {
    comment: 'or one, delivered in ten minutes, with a receipt for programs',
    shown: "nsq pub --topic mails --defer 10m --json 'remind me'",
    args: ['pub', '--topic', 'mails', '--defer', '10m', '--json', 'remind me'],
  },
  {
    comment: 'as nsq_tail, and more',
    shown: 'nsq tail --topic orders --channel billing --print-topic -n 3',
    args: ['tail', '--topic', 'orders', '--channel', 'billing', '--print-topic', '-n', '3'],
    asTerminal: ['--color'],
  },
  {
    comment: 'JSON lines for jq',
    shown: 'nsq tail --topic orders --channel billing --format json -n 1',
    args: ['tail', '--topic', 'orders', '--channel', 'billing', '--format', 'json', '-n', '1'],
  },
  {
    comment: 'the whole broker at a glance',
    shown: 'nsq stat',
    args: ['stat'],
    asTerminal: ['--output', 'table', '--color', '--count', '1', '--interval', '100ms'],
  },
  {
    comment: 'it says what was meant',
    shown: 'nsq tail --tpoic orders',
    args: ['tail', '--tpoic', 'orders'],
  },
];

/**
 * What changes from run to run, and what stands for it in the picture.
 * @type {readonly [RegExp, string][]}
 */
const MASKS = [
  [/[\d,]+\/s\) to/g, '412,380/s) to'],
  [/"id":"[0-9a-f]{16}"/g, '"id":"0c8f3a5e2b417d90"'],
  [/"timestamp":\d{19}/g, '"timestamp":1700000000123456789'],
  [/"durationMs":\d+/g, '"durationMs":3'],
  [/\d\d:\d\d:\d\d/g, '12:00:00'],
  [/every 100ms/g, 'every 2s'],
];

/**
 * @param {string} text
 * @param {{ tcp: string, http: string }} broker
 */
function mask(text, { tcp, http }) {
  const addresses = text.replaceAll(tcp, '127.0.0.1:4150').replaceAll(http, '127.0.0.1:4151');
  return MASKS.reduce((masked, [pattern, by]) => masked.replaceAll(pattern, by), addresses);
}

/**
 * @param {readonly string[]} args
 * @param {NodeJS.ProcessEnv} env
 * @param {string} input
 * @returns {Promise<string>} standard error, then output
 */
async function run(args, env, input) {
  const child = spawn(process.execPath, [RUN, ...args], { env });
  const output = { stdout: '', stderr: '' };
  for (const name of /** @type {const} */ (['stdout', 'stderr']))
    child[name].setEncoding('utf8').on('data', (chunk) => {
      output[name] += chunk;
    });
  child.stdin.end(input);
  await once(child, 'close');
  return output.stderr + output.stdout;
}

/** @returns {Promise<{ comment: string, command: string, output: string }[]>} */
export async function recordTour() {
  const clean = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(NSQ_|NO_COLOR$|FORCE_COLOR$|DEBUG$)/.test(name)),
  );
  const data = await mkdtemp(join(tmpdir(), 'nsq-tour-'));
  const addresses = ['--tcp-address=127.0.0.1:0', '--http-address=127.0.0.1:0', `--data-path=${data}`];
  const serve = spawn(process.execPath, [RUN, 'serve', ...addresses], {
    env: clean,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  try {
    const broker = await addressesOf(serve.stderr);
    const env = { ...clean, NSQ_NSQD_TCP_ADDRESS: broker.tcp, NSQ_NSQD_HTTP_ADDRESS: broker.http };
    const recorded = [];
    for (const { comment, shown, args, asTerminal = [], input = '' } of STEPS) {
      const output = mask(await run([...args, ...asTerminal], env, input), broker);
      recorded.push({ comment, command: shown, output });
    }
    return [
      { comment: 'a broker, no configuration', command: 'nsq serve 2> nsq.log &', output: '' },
      ...recorded,
    ];
  } finally {
    const closed = once(serve, 'close');
    serve.kill('SIGTERM');
    await closed;
    await rm(data, { recursive: true, force: true });
  }
}

/**
 * @param {import('node:stream').Readable} log
 * @returns {Promise<{ tcp: string, http: string }>}
 */
async function addressesOf(log) {
  let text = '';
  for await (const chunk of log.iterator({ destroyOnReturn: false })) {
    text += chunk;
    const [, tcp, http] = /"tcpAddress":"([^"]+)","httpAddress":"([^"]+)"/.exec(text) ?? [];
    if (tcp !== undefined && http !== undefined) {
      log.resume();
      return { tcp, http };
    }
  }
  throw new Error(`the broker did not start: ${text}`);
}
