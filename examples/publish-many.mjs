import { Producer } from 'nsq';

const COUNT = 100_000;

const producer = new Producer({
  nsqdTcpAddress: process.env.NSQD_TCP_ADDRESS ?? '127.0.0.1:4150',
  maxPending: 10_000,
});
let failed = 0;

for (let n = 0; n < COUNT; n++) {
  await producer.ready(); // at once, unless 10,000 calls have no outcome yet
  producer.publish('numbers', `${n}`).catch(() => failed++);
}
await producer.close(); // waits for the outcome of every call

console.log(`${COUNT - failed} published, ${failed} failed`);
