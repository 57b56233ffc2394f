import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { createTopic } from './lib/http.mjs';
import { startDaemon } from './lib/process.mjs';
import { compare, drainWith, publishLines } from './lib/utility-run.mjs';

const USAGE = `node bench/to-file.mjs --b nsq_to_file [options]

Archives the messages of one topic with "nsq to-file" (A) and another program with the same flags (B), in turn.

  --b COMMAND            the original's nsq_to_file
  --a COMMAND            default: node bin/run.js to-file
  --nsqd COMMAND         the broker: a command line with {tcp}, {http} and {data}; default: the one here
  --messages N           default 300000
  --size N               bytes of a message (default 200)
  --max-in-flight N      default 200, as theirs
  --runs N               of each (default 3)
  --modes LIST           of plain, gzip (default both)`;

const string = /** @type {const} */ ({ type: 'string' });
const { values: flags } = parseArgs({
  options: {
    a: { ...string, default: 'node bin/run.js to-file' },
    b: string,
    nsqd: {
      ...string,
      default: 'node bin/run.js serve --tcp-address={tcp} --http-address={http} --data-path={data}',
    },
    messages: { ...string, default: '300000' },
    size: { ...string, default: '200' },
    'max-in-flight': { ...string, default: '200' },
    runs: { ...string, default: '3' },
    modes: { ...string, default: 'plain,gzip' },
    help: { type: 'boolean' },
  },
});
if (flags.b === undefined || flags.help) {
  console.error(USAGE);
  process.exit(flags.help ? 0 : 1);
}
const modes = flags.modes.split(',');
const runs = Number(flags.runs);
const messages = Number(flags.messages);
const commands = /** @type {const} */ ([
  ['A', flags.a],
  ['B', flags.b],
]);
const channels = modes.flatMap((mode) =>
  Array.from({ length: runs }, (_, run) => commands.map(([side]) => `${mode}${side}${run}`)).flat(),
);
const nsqd = await startDaemon(flags.nsqd);
try {
  await createTopic(nsqd.http, 'bench', channels);
  await publishLines(nsqd.http, 'bench', { messages, size: Number(flags.size) });
  for (const mode of modes) {
    await compare(mode, commands, runs, async (command, channel) => {
      const out = mkdtempSync(join(tmpdir(), 'nsq-bench-'));
      const source = [`--nsqd-tcp-address=${nsqd.tcp}`, '--topic=bench', `--channel=${channel}`];
      const files = [`--output-dir=${out}`, '--sync-interval=100ms', ...(mode === 'gzip' ? ['--gzip'] : [])];
      const args = [...source, ...files, `--max-in-flight=${flags['max-in-flight']}`];
      try {
        return await drainWith(command, args, { http: nsqd.http, topic: 'bench', channel, messages });
      } finally {
        rmSync(out, { recursive: true, force: true });
      }
    });
  }
} finally {
  await nsqd.stop();
}
