import { body } from '../lib/commands.mjs';
import { createTopic, deleteTopic } from '../lib/http.mjs';
import { HttpConnection } from '../lib/http-connection.mjs';
import { measure } from '../lib/measure.mjs';
import { newTopic } from './scenario.mjs';

/** @type {import('./scenario.mjs').Scenario} */
export const httpPub = {
  about: 'POST /pub over kept-alive connections, one request at a time on each',
  unit: 'messages/s',
  defaults: { messages: 100_000, connections: 4 },
  async run(target, { messages, connections, size }) {
    const topic = newTopic();
    await createTopic(target.http, topic, ['ch']);
    const head = `POST /pub?topic=${topic} HTTP/1.1\r\nHost: ${target.http}\r\nContent-Length: ${size}\r\n\r\n`;
    const request = Buffer.concat([Buffer.from(head), body(size)]);
    const publishers = await Promise.all(
      Array.from({ length: connections }, () => HttpConnection.open(target.http)),
    );
    let left = messages;
    const next = () => {
      left -= 1;
      return left >= 0;
    };
    const { measured } = await measure(target, () =>
      Promise.all(publishers.map((publisher) => publisher.repeat(request, next))),
    );
    for (const publisher of publishers) publisher.close();
    await deleteTopic(target.http, topic);
    return { values: { rate: messages / measured.seconds }, measured };
  },
};
