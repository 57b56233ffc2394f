import { spawn, spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { median } from './lib/measure.mjs';
import { startDaemon } from './lib/process.mjs';

const USAGE = `node bench/startup.mjs [options]

How long "nsq pub" of one message takes as a whole process, against "node -e 0": in turn, medians.

  --node PATH    the Node to measure with (default: this one)
  --runs N       of each (default 20)
  --limit X      fails when the ratio is larger`;

const string = /** @type {const} */ ({ type: 'string' });
const { values: flags } = parseArgs({
  options: {
    node: { ...string, default: process.execPath },
    runs: { ...string, default: '20' },
    limit: string,
    help: { type: 'boolean' },
  },
});
const RUN = fileURLToPath(new URL('../bin/run.js', import.meta.url));

/** @param {readonly string[]} args */
async function milliseconds(args) {
  const start = performance.now();
  const child = spawn(flags.node, args, { stdio: 'ignore' });
  const code = await new Promise((resolve) => child.once('exit', resolve));
  if (code !== 0) throw new Error(`${args.join(' ')} ended with ${code}`);
  return performance.now() - start;
}

if (flags.help) {
  console.log(USAGE);
  process.exit();
}
const nsqd = await startDaemon(
  `${process.execPath} ${RUN} serve --tcp-address={tcp} --http-address={http} --data-path={data}`,
);
try {
  const commands = {
    node: ['-e', '0'],
    pub: [RUN, 'pub', '--topic=bench', `--nsqd-tcp-address=${nsqd.tcp}`, 'hello'],
  };
  // What Node keeps of compiled code is there after the first one.
  for (const args of Object.values(commands)) await milliseconds(args);
  /** @type {Record<keyof typeof commands, number[]>} */
  const taken = { node: [], pub: [] };
  for (let run = 0; run < Number(flags.runs); run += 1) {
    taken.node.push(await milliseconds(commands.node));
    taken.pub.push(await milliseconds(commands.pub));
  }
  const [node, pub] = [median(taken.node), median(taken.pub)];
  const { stdout: version } = spawnSync(flags.node, ['--version'], { encoding: 'utf8' });
  const fastest = Math.min(...taken.pub) / Math.min(...taken.node);
  console.log(
    `Node ${version.trim()}: node -e 0 ${node.toFixed(1)} ms, nsq pub ${pub.toFixed(1)} ms, ratio ${(pub / node).toFixed(2)} (of the fastest: ${fastest.toFixed(2)})`,
  );
  if (pub / node > Number(flags.limit ?? Number.POSITIVE_INFINITY)) process.exitCode = 1;
} finally {
  await nsqd.stop();
}
