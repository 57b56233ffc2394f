import { setTimeout as delay } from 'node:timers/promises';
import { Consumer } from 'nsq';

const consumer = new Consumer({
  topic: 'orders',
  channel: 'billing',
  nsqdTcpAddresses: process.env.NSQD_TCP_ADDRESS ?? '127.0.0.1:4150',
  maxInFlight: 50, // what the broker hands out ahead
});

// A container is given some seconds from SIGTERM on: what is at work is finished, the rest goes to the other workers.
process.once('SIGTERM', () => void consumer.close({ timeout: 8000 }));

await consumer.connect();
console.log('ready');
await consumer.run(
  async (message) => {
    const order = message.json();
    await delay(10); // the work
    console.log('billed', order.id);
  }, // returning finishes the message, throwing requeues it
  { concurrency: 10 },
);
console.log('closed');
