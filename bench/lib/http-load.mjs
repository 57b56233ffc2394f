import { once } from 'node:events';
import { connect } from 'node:net';

const HEAD_END = Buffer.from('\r\n\r\n');
const LAST_CHUNK = Buffer.from('\r\n0\r\n\r\n');

/** Tells where answers end that come one at a time. Only heads are read. */
export class AnswerEnd {
  #left = 0;
  #isChunked = false;
  #isWithin = false;

  /**
   * True when these bytes end an answer. A head comes whole.
   * @param {Buffer} chunk
   */
  take(chunk) {
    if (!this.#isWithin) this.#begin(chunk);
    else this.#left -= chunk.length;
    const isOver = this.#isChunked ? chunk.subarray(-LAST_CHUNK.length).equals(LAST_CHUNK) : this.#left <= 0;
    this.#isWithin = !isOver;
    return isOver;
  }

  /** @param {Buffer} chunk */
  #begin(chunk) {
    const end = chunk.indexOf(HEAD_END);
    const head = chunk.toString('latin1', 0, end);
    if (end === -1 || !head.startsWith('HTTP/1.1 200')) throw new Error(`answered ${head}`);
    const length = /content-length: *(\d+)/i.exec(head)?.[1];
    this.#isChunked = length === undefined;
    this.#left = Number(length ?? 0) - (chunk.length - end - HEAD_END.length);
  }
}

/**
 * Asks for the path over so many connections, one request at a time on each. Gives answers per second.
 * @param {string} address
 * @param {string} path
 * @param {{ connections: number, seconds: number }} load
 */
export async function answersPerSecond(address, path, { connections, seconds }) {
  const { hostname, port } = new URL(`tcp://${address}`);
  const request = Buffer.from(`GET ${path} HTTP/1.1\r\nHost: ${address}\r\n\r\n`);
  const sockets = await Promise.all(
    Array.from({ length: connections }, async () => {
      const socket = connect({ host: hostname, port: Number(port), noDelay: true });
      await once(socket, 'connect');
      return socket;
    }),
  );
  const start = performance.now();
  const end = start + seconds * 1000;
  let answers = 0;
  await Promise.all(
    sockets.map(
      (socket) =>
        new Promise((resolve, reject) => {
          const answer = new AnswerEnd();
          socket.on('error', reject);
          socket.on('close', () => reject(new Error(`${address} closed a connection`)));
          socket.on('data', (chunk) => {
            try {
              if (!answer.take(chunk)) return;
            } catch (error) {
              return reject(error);
            }
            answers++;
            if (performance.now() < end) socket.write(request);
            else resolve(undefined);
          });
          socket.write(request);
        }),
    ),
  );
  for (const socket of sockets) socket.removeAllListeners('close').destroy();
  return (1000 * answers) / (performance.now() - start);
}
