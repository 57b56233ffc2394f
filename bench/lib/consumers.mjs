import { CLS, rdy, sub } from './commands.mjs';
import { Connection } from './connection.mjs';
import { FinishBuffer } from './finish-buffer.mjs';

/** A daemon that delivers nothing for so long has lost messages. */
const STALL_MS = 20_000;

/**
 * Consumers that finish every message: the FINs of one read go out in one write.
 */
export class Consumers {
  /** @type {readonly Connection[]} */
  #connections;
  #rdy;

  /**
   * @param {readonly Connection[]} connections
   * @param {number} rdy
   */
  constructor(connections, rdy) {
    this.#connections = connections;
    this.#rdy = rdy;
  }

  /**
   * Subscribes `count` consumers to a channel, without RDY.
   * @param {string} address
   * @param {{ topic: string, channel: string, count: number, rdy: number }} options
   */
  static async open(address, { topic, channel, count, rdy }) {
    const connections = await Promise.all(
      Array.from({ length: count }, async () => {
        const connection = await Connection.open(address);
        await connection.request(sub(topic, channel));
        return connection;
      }),
    );
    return new Consumers(connections, rdy);
  }

  /**
   * Sends RDY and finishes every message that comes. `bulk` resolves with a number of messages when so many have come:
   * all but what RDY allows at once, because a daemon may hold the very last ones back until its output buffer's
   * timeout. `complete` resolves when all `messages` have come, no more, and the daemon has taken in the last FIN:
   * commands are handled in order, and each connection's CLS was answered.
   * @param {number} messages
   * @returns {{ bulk: Promise<number>, complete: Promise<void> }}
   */
  take(messages) {
    const bulk = messages - Math.min(this.#rdy * this.#connections.length, Math.floor(messages / 2));
    /** @type {Record<'bulk' | 'all', () => void>} */
    const reached = { bulk: () => {}, all: () => {} };
    let came = 0;
    const onFinished = (/** @type {number} */ count) => {
      came += count;
      if (came >= bulk) reached.bulk();
      if (came >= messages) reached.all();
    };
    /** @type {NodeJS.Timeout | undefined} */
    let watch;
    const stalled = new Promise((_, reject) => {
      let before = -1;
      watch = setInterval(() => {
        if (came === before)
          reject(new Error(`nothing came for ${STALL_MS / 1000} s: ${came} of ${messages} messages`));
        before = came;
      }, STALL_MS);
    });
    const failed = [stalled, ...this.#connections.map((connection) => connection.failed)];
    const milestone = (/** @type {'bulk' | 'all'} */ name) =>
      Promise.race([new Promise((resolve) => Object.assign(reached, { [name]: resolve })), ...failed]);
    const bulkCame = milestone('bulk').then(() => bulk);
    const complete = milestone('all').then(async () => {
      await Promise.all(this.#connections.map((connection) => connection.request(CLS)));
      clearInterval(watch);
      if (came > messages) throw new Error(`${came} messages came, ${messages} were published`);
    });
    // Who waits for `bulk` only sees its failure there.
    complete.catch(() => {});
    for (const connection of this.#connections) {
      this.#finishMessages(connection, onFinished);
      connection.send(rdy(this.#rdy));
    }
    return { bulk: bulkCame, complete };
  }

  close() {
    for (const connection of this.#connections) connection.close();
  }

  /**
   * @param {Connection} connection
   * @param {(count: number) => void} onFinished
   */
  #finishMessages(connection, onFinished) {
    /** @type {FinishBuffer[]} */
    const free = [];
    const take = () => free.pop() ?? new FinishBuffer(this.#rdy + 1);
    let fins = take();
    /** @type {DataView<ArrayBufferLike>} */
    let view = new DataView(new ArrayBuffer(0));
    connection.handlers = {
      onMessage: (chunk, at) => {
        if (view.buffer !== chunk.buffer) view = new DataView(chunk.buffer);
        fins.add(view, chunk.byteOffset + at);
      },
      onChunk: () => {
        const full = fins;
        if (full.count === 0) return;
        fins = take();
        const { count } = full;
        connection.send(full.bytes, () => {
          full.count = 0;
          free.push(full);
        });
        onFinished(count);
      },
    };
  }
}
