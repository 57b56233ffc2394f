import { body, mpub } from '../lib/commands.mjs';
import { Consumers } from '../lib/consumers.mjs';
import { createTopic, deleteTopic, waitForDepth } from '../lib/http.mjs';
import { measure } from '../lib/measure.mjs';
import { openAll, repeat } from '../lib/publisher.mjs';
import { newTopic } from './scenario.mjs';

/** @type {import('./scenario.mjs').Scenario} */
export const drain = {
  about: 'a channel that was filled before is consumed, every message finished',
  unit: 'messages/s',
  defaults: {},
  async run(target, { messages, connections, size, batch, rdy }) {
    const topic = newTopic();
    await createTopic(target.http, topic, ['ch']);
    const publishers = await openAll(target.tcp, connections);
    const times = Math.ceil(messages / batch);
    await repeat(publishers, mpub(topic, body(size), batch), times);
    for (const publisher of publishers) publisher.close();
    await waitForDepth(target.http, topic, 'ch', times * batch);

    const consumers = await Consumers.open(target.tcp, { topic, channel: 'ch', count: connections, rdy });
    const { result, measured } = await measure(target, async () => {
      const { bulk, complete } = consumers.take(times * batch);
      return { count: await bulk, complete };
    });
    await result.complete;
    consumers.close();
    await deleteTopic(target.http, topic);
    return { values: { rate: result.count / measured.seconds }, measured };
  },
};
