import { Producer, PublishError } from 'nsq';

const producer = new Producer({ nsqdTcpAddress: process.env.NSQD_TCP_ADDRESS ?? '127.0.0.1:4150' });

try {
  await producer.publish('orders', JSON.stringify({ id: 1, total: 20 }), { timeout: 5000 });
  await producer.publishBatch('orders', ['{"id":2,"total":5}', '{"id":3,"total":8}']);
  await producer.publishDeferred('reminders', '{"order":1}', 1000);
  console.log('published');
} catch (error) {
  if (!(error instanceof PublishError)) throw error;
  console.error(error.mayHaveArrived ? 'perhaps published:' : 'not published:', error.message);
  process.exitCode = 1;
} finally {
  await producer.close();
}
