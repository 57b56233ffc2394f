import { Consumer, Producer } from '../../dist/client/index.js';

/** This project's client library. @type {import('./client.mjs').Client} */
export const ours = {
  name: 'nsq',
  async producer(address) {
    const producer = new Producer({ nsqdTcpAddress: address });
    await producer.connect();
    return {
      publish: (topic, body, done) => void producer.publish(topic, body).then(done, done),
      publishBatch: (topic, bodies, done) => void producer.publishBatch(topic, bodies).then(done, done),
      close: () => producer.close(),
    };
  },
  async consumer(address, topic, channel, inFlight, onMessage) {
    const consumer = new Consumer({ topic, channel, nsqdTcpAddresses: address, maxInFlight: inFlight });
    const running = consumer.run(onMessage, { concurrency: inFlight });
    return {
      close: async () => {
        await consumer.close();
        await running;
      },
    };
  },
};
