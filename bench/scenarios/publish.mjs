import { body, mpub } from '../lib/commands.mjs';
import { createTopic, deleteTopic } from '../lib/http.mjs';
import { measure } from '../lib/measure.mjs';
import { openAll, repeat } from '../lib/publisher.mjs';
import { newTopic } from './scenario.mjs';

/** @type {import('./scenario.mjs').Scenario} */
export const publish = {
  about: 'MPUBs to a topic with one channel, one at a time per connection',
  unit: 'messages/s',
  defaults: {},
  async run(target, { messages, connections, size, batch }) {
    const topic = newTopic();
    await createTopic(target.http, topic, ['ch']);
    const publishers = await openAll(target.tcp, connections);
    const command = mpub(topic, body(size), batch);
    const times = Math.ceil(messages / batch);
    const { measured } = await measure(target, () => repeat(publishers, command, times));
    for (const publisher of publishers) publisher.close();
    await deleteTopic(target.http, topic);
    return { values: { rate: (times * batch) / measured.seconds }, measured };
  },
};
