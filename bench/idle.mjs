import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { createTopic, deleteTopic } from './lib/http.mjs';
import { cpuSeconds } from './lib/process.mjs';
import { TARGET_OPTIONS, TARGET_USAGE, withTarget } from './lib/target-flags.mjs';
import { newTopic } from './scenarios/scenario.mjs';

const USAGE = `node bench/idle.mjs (--a ADDRESS --a-pid PID | --start-a CMD) [--topics N] [--channels N] [--seconds N]

CPU of a daemon that holds many topics and channels and has nothing to do.

${TARGET_USAGE}`;

const { values: flags } = parseArgs({
  options: {
    ...TARGET_OPTIONS,
    topics: { type: 'string', default: '1000' },
    channels: { type: 'string', default: '2' },
    seconds: { type: 'string', default: '10' },
  },
});

/** How long the daemon gets to come to rest after the topics were made. */
const REST_MS = 3000;

await withTarget(flags, USAGE, async ({ http, pid }) => {
  const seconds = Number(flags.seconds);
  const channels = Array.from({ length: Number(flags.channels) }, (_, i) => `ch${i}`);
  const topics = Array.from({ length: Number(flags.topics) }, newTopic);
  for (const topic of topics) await createTopic(http, topic, channels);
  await delay(REST_MS);
  const before = cpuSeconds(pid);
  await delay(seconds * 1000);
  const share = (cpuSeconds(pid) - before) / seconds;
  for (const topic of topics) await deleteTopic(http, topic);
  console.log(
    `idle: ${topics.length} topics x ${channels.length} channels: ${(100 * share).toFixed(2)} % CPU over ${seconds} s`,
  );
});
