import { Consumer, Producer } from 'nsq';

const address = process.env.NSQD_TCP_ADDRESS ?? '127.0.0.1:4150';

// After two failed attempts the message goes to the topic `jobs.dead`.
const jobs = new Consumer({
  topic: 'jobs',
  channel: 'worker',
  nsqdTcpAddresses: address,
  maxAttempts: 2,
  deadLetterTopic: 'jobs.dead',
  requeueDelay: 10,
  maxBackoffDuration: 0, // no pause of the whole consumer after a failure
});
jobs.on('handlerError', (error, message) => console.log(`attempt ${message.attempts}: ${error.message}`));
jobs.on('giveUp', (message) => console.log(`given up: ${message.text()}`));
const working = jobs.run((message) => {
  if (message.text() === 'broken') throw new Error('cannot do this');
  console.log(`done: ${message.text()}`);
});

const producer = new Producer({ nsqdTcpAddress: address });
await producer.publishBatch('jobs', ['fine', 'broken']);

const dead = new Consumer({ topic: 'jobs.dead', channel: 'review', nsqdTcpAddresses: address });
for await (const message of dead) {
  console.log(`to be looked at: ${message.text()}`);
  message.finish();
  break;
}

await Promise.all([jobs.close(), dead.close(), producer.close()]);
await working;
