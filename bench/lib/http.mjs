import { setTimeout as delay } from 'node:timers/promises';

/**
 * @param {string} address
 * @param {string} path
 */
async function post(address, path) {
  const response = await fetch(`http://${address}${path}`, { method: 'POST' });
  if (!response.ok) throw new Error(`POST ${address}${path}: ${response.status} ${await response.text()}`);
}

/**
 * Creates a topic, then its channels.
 * @param {string} address
 * @param {string} topic
 * @param {readonly string[]} channels
 */
export async function createTopic(address, topic, channels) {
  await post(address, `/topic/create?topic=${topic}`);
  for (const channel of channels) await post(address, `/channel/create?topic=${topic}&channel=${channel}`);
}

/**
 * @param {string} address
 * @param {string} topic
 */
export async function deleteTopic(address, topic) {
  await post(address, `/topic/delete?topic=${topic}`);
}

/**
 * Waits until the channel holds `depth` messages: a daemon may bring them there after its OK.
 * @param {string} address
 * @param {string} topic
 * @param {string} channel
 * @param {number} depth
 */
export async function waitForDepth(address, topic, channel, depth) {
  for (;;) {
    const response = await fetch(
      `http://${address}/stats?format=json&topic=${topic}&channel=${channel}&include_clients=false`,
    );
    const stats = /** @type {{ topics: { depth: number, channels: { depth: number }[] }[] }} */ (
      await response.json()
    );
    if (stats.topics[0]?.channels[0]?.depth === depth) return;
    await delay(20);
  }
}
