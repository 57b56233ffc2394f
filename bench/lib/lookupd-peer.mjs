import { once } from 'node:events';
import { connect } from 'node:net';
import { identify } from './commands.mjs';

/** A broker's connection to a lookupd (protocol V1) that counts answers and does not read them. */
export class LookupdPeer {
  #socket;
  /** @type {Buffer} */
  #rest = Buffer.alloc(0);
  #answers = 0;
  #wanted = 0;
  /** @type {() => void} */
  #reached = () => {};
  /** @type {Promise<never>} */
  #failed;

  /** @param {import('node:net').Socket} socket */
  constructor(socket) {
    this.#socket = socket;
    this.#failed = new Promise((_, reject) => {
      socket.on('error', reject);
      socket.on('close', () => reject(new Error('the lookupd closed a connection')));
    });
    this.#failed.catch(() => {});
    socket.on('data', (chunk) => this.#receive(chunk));
  }

  /**
   * Connects and identifies.
   * @param {string} address
   * @param {string} name broadcast address
   */
  static async open(address, name) {
    const { hostname, port } = new URL(`tcp://${address}`);
    const socket = connect({ host: hostname, port: Number(port), noDelay: true });
    await once(socket, 'connect');
    const peer = new LookupdPeer(socket);
    const identity = {
      hostname: name,
      broadcast_address: name,
      tcp_port: 4150,
      http_port: 4151,
      version: '1',
    };
    socket.write('  V1');
    await peer.#request(identify(identity), 1);
    return peer;
  }

  /**
   * Sends lines at once; resolves when each is answered.
   * @param {readonly string[]} lines
   */
  send(lines) {
    return this.#request(Buffer.from(lines.join('')), lines.length);
  }

  close() {
    this.#socket.destroy();
  }

  /**
   * @param {Buffer} bytes
   * @param {number} answers
   */
  #request(bytes, answers) {
    this.#wanted += answers;
    const done = new Promise((resolve) => {
      this.#reached = () => resolve(undefined);
    });
    this.#socket.write(bytes);
    return Promise.race([done, this.#failed]);
  }

  /** @param {Buffer} chunk */
  #receive(chunk) {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    let at = 0;
    while (bytes.length - at >= 4) {
      const size = bytes.readUInt32BE(at);
      if (bytes.length - at < 4 + size) break;
      at += 4 + size;
      this.#answers++;
    }
    this.#rest = bytes.subarray(at);
    if (this.#answers >= this.#wanted) this.#reached();
  }
}
