import { once } from 'node:events';
import net from 'node:net';

/** Passes connections on to `address`, until they are dropped. */
export class TcpProxy {
  /** @type {Set<net.Socket>} */
  #sockets = new Set();
  #isArmed = false;
  #server;
  dropped = 0;

  /** @param {string} address `host:port` */
  constructor(address) {
    const { hostname, port } = new URL(`tcp://${address}`);
    this.#server = net.createServer((client) => {
      const daemon = net.connect({ host: hostname, port: Number(port), noDelay: true });
      client.setNoDelay(true);
      client.pipe(daemon).pipe(client);
      client.on('data', () => {
        if (this.#isArmed) this.#dropAll();
      });
      this.#own(client, daemon);
      this.#own(daemon, client);
    });
  }

  /** @returns {Promise<string>} where it listens */
  async listen() {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return `127.0.0.1:${/** @type {net.AddressInfo} */ (this.#server.address()).port}`;
  }

  /** With the next bytes that a client sends, ends every connection, without a word: some of it has just arrived. */
  drop() {
    this.#isArmed = true;
  }

  /**
   * @param {net.Socket} socket
   * @param {net.Socket} other
   */
  #own(socket, other) {
    this.#sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.#sockets.delete(socket);
      other.destroy();
    });
  }

  #dropAll() {
    this.#isArmed = false;
    this.dropped += this.#sockets.size / 2;
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  close() {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }
}
