import { once } from 'node:events';
import { connect } from 'node:net';
import { AnswerEnd } from './http-load.mjs';

/**
 * One answer to a GET over a connection of its own.
 * @param {string} address
 * @param {string} path
 */
async function open(address, path) {
  const { hostname, port } = new URL(`tcp://${address}`);
  const socket = connect({ host: hostname, port: Number(port), noDelay: true });
  await once(socket, 'connect');
  socket.write(`GET ${path} HTTP/1.1\r\nHost: ${address}\r\n\r\n`);
  const answer = new Promise((resolve, reject) => {
    const end = new AnswerEnd();
    let text = '';
    socket.on('error', reject);
    socket.on('close', () => reject(new Error(`no answer to GET ${path}`)));
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
      if (!end.take(chunk)) return;
      resolve(text);
      socket.destroy();
    });
  });
  return /** @type {{ answer: Promise<string> }} */ ({ answer });
}

/**
 * The time in ms from the answer to `change` until `count` requests that waited for the topic are answered; undefined
 * from a lookupd that lets no request wait.
 * @param {string} address
 * @param {string} topic
 * @param {number} count
 * @param {() => Promise<unknown> | undefined} change
 */
export async function timeToLastAnswer(address, topic, count, change) {
  const first = await open(address, `/lookup?topic=${topic}&wait=1s`);
  const index = /"index":(\d+)/.exec(await first.answer)?.[1];
  if (index === undefined) return undefined;
  const path = `/lookup?topic=${topic}&wait=60s&index=${index}`;
  const waiting = await Promise.all(Array.from({ length: count }, () => open(address, path)));
  // Each has been read: an answer that comes after theirs on a later connection says so.
  await (await open(address, '/ping')).answer;
  const answers = Promise.all(waiting.map(({ answer }) => answer));
  const start = performance.now();
  await change();
  await answers;
  return performance.now() - start;
}
