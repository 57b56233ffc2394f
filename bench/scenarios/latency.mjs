import { body, pub, rdy, sub } from '../lib/commands.mjs';
import { Connection } from '../lib/connection.mjs';
import { createTopic, deleteTopic } from '../lib/http.mjs';
import { measure, percentile } from '../lib/measure.mjs';
import { newTopic } from './scenario.mjs';

const ID_IN_FRAME = 18;
const BODY_IN_FRAME = 34;
const FIN = Buffer.from('FIN 0123456789abcdef\n');
const TICK_MS = 1;

/**
 * Publishes at a fixed rate, whatever the daemon does; each body carries its time of sending.
 * @param {Connection} publisher
 * @param {Buffer} command
 * @param {{ messages: number, rate: number }} pace
 */
function publishAtRate(publisher, command, { messages, rate }) {
  const start = performance.now();
  const timeAt = command.length - command.readUInt32BE(command.indexOf('\n') + 1);
  let sent = 0;
  return new Promise((resolve) => {
    const timer = setInterval(() => {
      const due = Math.min(messages, Math.ceil(((performance.now() - start) / 1000) * rate));
      for (; sent < due; sent += 1) {
        const copy = Buffer.from(command);
        copy.writeDoubleBE(performance.now(), timeAt);
        publisher.send(copy);
      }
      if (sent === messages) {
        clearInterval(timer);
        resolve(undefined);
      }
    }, TICK_MS);
  });
}

/**
 * Finishes `messages` messages and returns the milliseconds that each took, sorted.
 * @param {Connection} consumer
 * @param {number} messages
 * @returns {Promise<Float64Array>}
 */
function takeTimes(consumer, messages) {
  const times = new Float64Array(messages);
  let count = 0;
  /** @type {Promise<Float64Array>} */
  const all = new Promise((resolve) => {
    consumer.handlers = {
      onMessage: (chunk, at) => {
        times[count] = performance.now() - chunk.readDoubleBE(at + BODY_IN_FRAME);
        const fin = Buffer.from(FIN);
        chunk.copy(fin, 4, at + ID_IN_FRAME, at + BODY_IN_FRAME);
        consumer.send(fin);
        count += 1;
        if (count === messages) resolve(times.sort());
      },
    };
  });
  return Promise.race([all, consumer.failed]);
}

/** @type {import('./scenario.mjs').Scenario} */
export const latency = {
  about: 'from the sending of a PUB to the arrival of its message, at a fixed rate, output buffering off',
  unit: 'ms',
  defaults: { messages: 5000, rdy: 100 },
  async run(target, { messages, size, rate, rdy: ready }) {
    const topic = newTopic();
    await createTopic(target.http, topic, ['ch']);
    const publisher = await Connection.open(target.tcp);
    const consumer = await Connection.open(target.tcp, { output_buffer_size: -1 });
    await consumer.request(sub(topic, 'ch'));
    consumer.send(rdy(ready));
    publisher.handlers = { onOk: () => {} };
    const command = pub(topic, body(Math.max(size, 8)));
    const { result: times, measured } = await measure(target, async () => {
      const taken = takeTimes(consumer, messages);
      await Promise.race([publishAtRate(publisher, command, { messages, rate }), publisher.failed]);
      return taken;
    });
    publisher.close();
    consumer.close();
    await deleteTopic(target.http, topic);
    return {
      values: { p50: percentile(times, 0.5), p99: percentile(times, 0.99), max: percentile(times, 1) },
      measured,
    };
  },
};
