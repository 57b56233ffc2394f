import { once } from 'node:events';
// @ts-expect-error it has no types
import nsqjs from 'nsqjs';

/** @param {string} address */
function hostAndPort(address) {
  const { hostname, port } = new URL(`tcp://${address}`);
  return /** @type {const} */ ([hostname, Number(port)]);
}

/** nsqjs, the client that Node developers use today. @type {import('./client.mjs').Client} */
export const theirs = {
  name: 'nsqjs',
  async producer(address) {
    const writer = new nsqjs.Writer(...hostAndPort(address));
    writer.connect();
    await once(writer, 'ready');
    return {
      publish: (topic, body, done) => writer.publish(topic, body, done),
      publishBatch: (topic, bodies, done) => writer.publish(topic, bodies, done),
      close: async () => {
        const closed = once(writer, 'closed');
        writer.close();
        await closed;
      },
    };
  },
  async consumer(address, topic, channel, inFlight, onMessage) {
    const reader = new nsqjs.Reader(topic, channel, { nsqdTCPAddresses: [address], maxInFlight: inFlight });
    reader.on('message', (/** @type {{ finish: () => void }} */ message) => {
      onMessage();
      message.finish();
    });
    reader.on('error', () => undefined);
    reader.connect();
    return {
      close: async () => {
        const closed = once(reader, 'nsqd_closed');
        reader.close();
        await closed;
      },
    };
  },
};
