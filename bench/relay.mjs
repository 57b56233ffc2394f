import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { createTopic } from './lib/http.mjs';
import { startDaemon } from './lib/process.mjs';
import { compare, drainWith, publishLines } from './lib/utility-run.mjs';

const USAGE = `node bench/relay.mjs [--to-nsq nsq_to_nsq] [--to-http nsq_to_http] [options]

"nsq to-nsq" (A) beside nsq_to_nsq (B), and "nsq to-http" beside nsq_to_http: in turn, from one broker, to another one or
to a server that answers at once.

  --to-nsq COMMAND       the original's nsq_to_nsq
  --to-http COMMAND      the original's nsq_to_http
  --nsqd COMMAND         both brokers: a command line with {tcp}, {http} and {data}; default: the one here
  --messages N           default 300000
  --size N               bytes of a message (default 200)
  --max-in-flight N      default 200, as theirs
  --runs N               of each (default 3)
  --kinds LIST           of to-nsq, to-http (default both)`;

const string = /** @type {const} */ ({ type: 'string' });
const { values: flags } = parseArgs({
  options: {
    'to-nsq': string,
    'to-http': string,
    nsqd: {
      ...string,
      default: 'node bin/run.js serve --tcp-address={tcp} --http-address={http} --data-path={data}',
    },
    messages: { ...string, default: '300000' },
    size: { ...string, default: '200' },
    'max-in-flight': { ...string, default: '200' },
    runs: { ...string, default: '3' },
    kinds: { ...string, default: 'to-nsq,to-http' },
    help: { type: 'boolean' },
  },
});

async function startSink() {
  const path = fileURLToPath(new URL('lib/http-sink.mjs', import.meta.url));
  const child = spawn(process.execPath, [path], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [port] = await once(child.stdout, 'data');
  return { url: `http://127.0.0.1:${String(port).trim()}/`, stop: () => child.kill() };
}

if (flags.help) {
  console.log(USAGE);
  process.exit();
}
const kinds = flags.kinds.split(',');
const runs = Number(flags.runs);
const messages = Number(flags.messages);
/** @type {Readonly<Record<string, string | undefined>>} */
const originals = { 'to-nsq': flags['to-nsq'], 'to-http': flags['to-http'] };
/** @param {string} kind @returns {readonly (readonly [string, string])[]} */
const commandsOf = (kind) => [
  ['A', `node bin/run.js ${kind}`],
  ...Object.entries({ B: originals[kind] }).flatMap(([side, command]) =>
    command === undefined ? [] : [/** @type {const} */ ([side, command])],
  ),
];
const channels = kinds.flatMap((kind) =>
  commandsOf(kind).flatMap(([side]) => Array.from({ length: runs }, (_, run) => `${kind}${side}${run}`)),
);
const [source, destination, sink] = await Promise.all([
  startDaemon(flags.nsqd),
  startDaemon(flags.nsqd),
  startSink(),
]);
try {
  await createTopic(source.http, 'bench', channels);
  await publishLines(source.http, 'bench', { messages, size: Number(flags.size) });
  for (const kind of kinds) {
    const target =
      kind === 'to-nsq'
        ? [`--destination-nsqd-tcp-address=${destination.tcp}`, '--destination-topic=sink#ephemeral']
        : [`--post=${sink.url}`];
    await compare(kind, commandsOf(kind), runs, (command, channel) => {
      const from = [`--nsqd-tcp-address=${source.tcp}`, '--topic=bench', `--channel=${channel}`];
      const args = [...from, ...target, `--max-in-flight=${flags['max-in-flight']}`, '--status-every=0'];
      return drainWith(command, args, { http: source.http, topic: 'bench', channel, messages });
    });
  }
} finally {
  sink.stop();
  await Promise.all([source.stop(), destination.stop()]);
}
