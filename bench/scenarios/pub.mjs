import { body, pub as pubCommand } from '../lib/commands.mjs';
import { createTopic, deleteTopic } from '../lib/http.mjs';
import { measure } from '../lib/measure.mjs';
import { openAll, repeat } from '../lib/publisher.mjs';
import { newTopic } from './scenario.mjs';

/** @type {import('./scenario.mjs').Scenario} */
export const pub = {
  about: 'single PUBs, one at a time per connection',
  unit: 'messages/s',
  defaults: { messages: 100_000 },
  async run(target, { messages, connections, size }) {
    const topic = newTopic();
    await createTopic(target.http, topic, ['ch']);
    const publishers = await openAll(target.tcp, connections);
    const command = pubCommand(topic, body(size));
    const { measured } = await measure(target, () => repeat(publishers, command, messages));
    for (const publisher of publishers) publisher.close();
    await deleteTopic(target.http, topic);
    return { values: { rate: messages / measured.seconds }, measured };
  },
};
