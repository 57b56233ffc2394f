import { Consumer, Producer } from 'nsq';

/**
 * The code under test: bills each order, and says so on the topic `bills`.
 * @param {string} nsqdTcpAddress
 */
export function billing(nsqdTcpAddress) {
  const producer = new Producer({ nsqdTcpAddress });
  const consumer = new Consumer({
    topic: 'orders',
    channel: 'billing',
    nsqdTcpAddresses: nsqdTcpAddress,
    maxInFlight: 20,
    requeueDelay: 0,
    maxBackoffDuration: 0,
  });
  const running = consumer.run(async (message) => {
    const { id, total } = /** @type {{ id: number, total: number }} */ (message.json());
    await producer.publish('bills', JSON.stringify({ order: id, due: total * 1.2 }));
  });
  return {
    async close() {
      await consumer.close();
      await running;
      await producer.close();
    },
  };
}
