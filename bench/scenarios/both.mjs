import { body, mpub } from '../lib/commands.mjs';
import { Consumers } from '../lib/consumers.mjs';
import { createTopic, deleteTopic } from '../lib/http.mjs';
import { measure } from '../lib/measure.mjs';
import { openAll, repeat } from '../lib/publisher.mjs';
import { newTopic } from './scenario.mjs';

/**
 * Publishes to a topic while every channel is consumed, until the last delivery is finished.
 * @param {import('../lib/process.mjs').Target} target
 * @param {import('./scenario.mjs').Settings} settings
 * @param {{ channels: number, publishers: number, consumersPerChannel: number }} shape
 * @returns {Promise<import('./scenario.mjs').Outcome>}
 */
async function through(target, { messages, size, batch, rdy }, shape) {
  const topic = newTopic();
  const channels = Array.from({ length: shape.channels }, (_, i) => `ch${i}`);
  await createTopic(target.http, topic, channels);
  const publishers = await openAll(target.tcp, shape.publishers);
  const count = shape.consumersPerChannel;
  const consumers = await Promise.all(
    channels.map((channel) => Consumers.open(target.tcp, { topic, channel, count, rdy })),
  );
  const command = mpub(topic, body(size), batch);
  const times = Math.ceil(messages / batch);
  const { result, measured } = await measure(target, async () => {
    const published = repeat(publishers, command, times);
    const taken = consumers.map((group) => group.take(times * batch));
    const counts = await Promise.all(taken.map(({ bulk }) => bulk));
    return {
      deliveries: counts.reduce((sum, count) => sum + count, 0),
      rest: [published, ...taken.map((t) => t.complete)],
    };
  });
  await Promise.all(result.rest);
  for (const end of [...publishers, ...consumers]) end.close();
  await deleteTopic(target.http, topic);
  return { values: { rate: result.deliveries / measured.seconds }, measured };
}

/** @type {import('./scenario.mjs').Scenario} */
export const both = {
  about: 'publishing and consuming at once, until the last message is finished',
  unit: 'messages/s',
  defaults: {},
  run: (target, settings) => {
    const { connections } = settings;
    return through(target, settings, {
      channels: 1,
      publishers: connections,
      consumersPerChannel: connections,
    });
  },
};

/** @type {import('./scenario.mjs').Scenario} */
export const fanout = {
  about:
    'one publisher to a topic with many channels, each with one consumer; deliveries of all channels together',
  unit: 'deliveries/s',
  defaults: { messages: 200_000 },
  run: (target, settings) =>
    through(target, settings, { channels: settings.channels, publishers: 1, consumersPerChannel: 1 }),
};
