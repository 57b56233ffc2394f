import { once } from 'node:events';
import { connect } from 'node:net';
import { identify, MAGIC, NOP } from './commands.mjs';
import { FrameScanner } from './frame-scanner.mjs';

const READ_SIZE = 256 * 1024;
const RESPONSE = 0;
const ERROR = 1;
const HEARTBEAT_SIZE = 8 + '_heartbeat_'.length;

/**
 * @typedef {object} Handlers
 * @property {(chunk: Buffer, at: number) => void} [onMessage] the frame starts at `at`
 * @property {(text: string) => void} [onResponse]
 * @property {() => void} [onOk] a response; its text is not read
 * @property {() => void} [onChunk] all frames of a read were handed out
 */

/**
 * A connection that reads into one buffer and hands out frames in place. Anything unexpected (an error frame, the end)
 * rejects `failed`.
 */
export class Connection {
  /** @type {Promise<never>} */
  failed;
  /** @type {Handlers} */
  handlers = {};
  /** @type {import('node:net').Socket} */
  #socket;
  #closing = false;

  /** @param {string} address `host:port` */
  constructor(address) {
    /** @type {(error: Error) => void} */
    let fail = () => {};
    this.failed = new Promise((_, reject) => {
      fail = reject;
    });
    this.failed.catch(() => {});
    const { hostname, port } = new URL(`tcp://${address}`);
    const scanner = new FrameScanner((chunk, at, type, size) => {
      const { handlers } = this;
      if (type > ERROR) handlers.onMessage?.(chunk, at);
      else if (type === RESPONSE && size === HEARTBEAT_SIZE) this.send(NOP);
      else if (type === RESPONSE && handlers.onOk) handlers.onOk();
      else {
        const text = chunk.toString('utf8', at + 8, at + size);
        if (type === RESPONSE) handlers.onResponse?.(text);
        else fail(new Error(`${address} answered ${text}`));
      }
    });
    const onread = {
      buffer: Buffer.allocUnsafe(READ_SIZE),
      /** @type {(length: number, chunk: Uint8Array) => boolean} */
      callback: (length, chunk) => {
        scanner.scan(/** @type {Buffer} */ (chunk), length);
        this.handlers.onChunk?.();
        return true;
      },
    };
    this.#socket = connect({ host: hostname, port: Number(port), noDelay: true, onread });
    this.#socket.on('error', fail);
    this.#socket.on('close', () => {
      if (!this.#closing) fail(new Error(`${address} closed the connection`));
    });
  }

  /**
   * Connects and identifies.
   * @param {string} address
   * @param {Record<string, unknown>} [settings] for IDENTIFY
   */
  static async open(address, settings = {}) {
    const connection = new Connection(address);
    await once(connection.#socket, 'connect');
    connection.send(MAGIC);
    await connection.request(
      identify({ client_id: 'bench', hostname: 'bench', user_agent: 'bench', ...settings }),
    );
    return connection;
  }

  /**
   * @param {Buffer} bytes
   * @param {() => void} [sent] called when the bytes may be changed again
   */
  send(bytes, sent) {
    this.#socket.write(bytes, sent);
  }

  /**
   * Sends a command and resolves with the response's text.
   * @param {Buffer} command
   * @returns {Promise<string>}
   */
  request(command) {
    const answer = new Promise((resolve) => {
      this.handlers.onResponse = resolve;
    });
    this.send(command);
    return Promise.race([answer, this.failed]);
  }

  close() {
    this.#closing = true;
    this.#socket.destroy();
  }
}
