import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { body, mpub } from '../lib/commands.mjs';
import { createTopic, deleteTopic, waitForDepth } from '../lib/http.mjs';
import { measure } from '../lib/measure.mjs';
import { openAll, repeat } from '../lib/publisher.mjs';
import { newTopic } from './scenario.mjs';

const RUN_SECONDS = 2;

/**
 * Runs one of the original project's load generators against a topic and returns the rate that it prints.
 * @param {string} tool its name in the directory of the setting `tools`
 * @param {import('../lib/process.mjs').Target} target
 * @param {import('./scenario.mjs').Settings} settings
 * @param {string} topic
 * @returns {Promise<import('./scenario.mjs').Outcome>}
 */
async function runTool(tool, target, { tools, size }, topic) {
  if (tools === '')
    throw new Error(`${tool} is one of the original project's programs: name their directory with --tools`);
  const args = [
    '-nsqd-tcp-address',
    target.tcp,
    '-topic',
    topic,
    '-size',
    `${size}`,
    '-runfor',
    `${RUN_SECONDS}s`,
  ];
  const { result, measured } = await measure(target, () => promisify(execFile)(join(tools, tool), args));
  const rate = Number(/([\d.]+)ops\/s/.exec(result.stderr)?.[1]);
  if (!(rate > 0)) throw new Error(`${tool} printed no rate: ${result.stderr}`);
  // The CPU of this process is not the tool's.
  return { values: { rate }, measured: { ...measured, generatorCpu: undefined } };
}

/** @type {import('./scenario.mjs').Scenario} */
export const benchWriter = {
  about: `the original's bench_writer for ${RUN_SECONDS} s, one connection per core`,
  unit: 'messages/s',
  defaults: {},
  async run(target, settings) {
    const topic = newTopic();
    await createTopic(target.http, topic, ['ch']);
    const outcome = await runTool('bench_writer', target, settings, topic);
    await deleteTopic(target.http, topic);
    return outcome;
  },
};

/** @type {import('./scenario.mjs').Scenario} */
export const benchReader = {
  about: `the original's bench_reader for ${RUN_SECONDS} s on a channel that was filled before, one connection per core`,
  unit: 'messages/s',
  defaults: { messages: 3_000_000 },
  fullWarmup: true,
  async run(target, settings) {
    const topic = newTopic();
    const { messages, connections, size, batch } = settings;
    await createTopic(target.http, topic, ['ch']);
    const publishers = await openAll(target.tcp, connections);
    const times = Math.ceil(messages / batch);
    await repeat(publishers, mpub(topic, body(size), batch), times);
    for (const publisher of publishers) publisher.close();
    await waitForDepth(target.http, topic, 'ch', times * batch);
    const outcome = await runTool('bench_reader', target, settings, topic);
    await deleteTopic(target.http, topic);
    const taken = (outcome.values.rate ?? 0) * RUN_SECONDS;
    if (taken > 0.98 * messages)
      throw new Error('bench_reader emptied the channel before its time was over: give more --messages');
    return outcome;
  },
};
