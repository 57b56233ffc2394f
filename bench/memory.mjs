import { parseArgs } from 'node:util';
import { body, mpub } from './lib/commands.mjs';
import { createTopic, deleteTopic, waitForDepth } from './lib/http.mjs';
import { memory } from './lib/process.mjs';
import { openAll, repeat } from './lib/publisher.mjs';
import { TARGET_OPTIONS, TARGET_USAGE, withTarget } from './lib/target-flags.mjs';
import { DEFAULTS, newTopic } from './scenarios/scenario.mjs';

const USAGE = `node bench/memory.mjs (--a ADDRESS --a-pid PID | --start-a CMD) [--messages N] [--size BYTES]

Memory of a daemon that holds many messages of a topic with one channel that nobody consumes.

${TARGET_USAGE}`;

const { values: flags } = parseArgs({
  options: {
    ...TARGET_OPTIONS,
    messages: { type: 'string', default: '4000000' },
    size: { type: 'string', default: '200' },
  },
});

/** @param {number} bytes */
function megabytes(bytes) {
  return `${Math.round(bytes / 1e6).toLocaleString('en')} MB`;
}

await withTarget(flags, USAGE, async ({ tcp, http, pid }) => {
  const topic = newTopic();
  const before = memory(pid);
  await createTopic(http, topic, ['ch']);
  const publishers = await openAll(tcp, DEFAULTS.connections);
  const times = Math.ceil(Number(flags.messages) / DEFAULTS.batch);
  await repeat(publishers, mpub(topic, body(Number(flags.size)), DEFAULTS.batch), times);
  for (const publisher of publishers) publisher.close();
  await waitForDepth(http, topic, 'ch', times * DEFAULTS.batch);
  const { resident, peak } = memory(pid);
  await deleteTopic(http, topic);
  const queued = (times * DEFAULTS.batch).toLocaleString('en');
  console.log(
    `memory: ${queued} messages of ${flags.size} bytes queued: resident ${megabytes(resident)}, peak ${megabytes(peak)} ` +
      `(before: ${megabytes(before.resident)})`,
  );
});
