import { createServer, type Server, type Socket } from 'node:net';
import { remoteAddressOf } from '../../daemon/remote-address.js';
import type { Lookupd } from '../lookupd.js';
import { Session } from './session.js';

/** Silence after which the system probes a connection, as Go does it: a broker whose machine died is noticed. */
const KEEP_ALIVE_MS = 15_000;
/** How long a connection that was ended may take to close from the other side. */
const LINGER_MS = 5_000;

/** Accepts brokers: a session for each connection. */
export class TcpServer {
  readonly server: Server;
  readonly #lookupd: Lookupd;
  readonly #sockets = new Set<Socket>();

  constructor(lookupd: Lookupd) {
    this.#lookupd = lookupd;
    this.server = createServer(
      { allowHalfOpen: true, noDelay: true, keepAlive: true, keepAliveInitialDelay: KEEP_ALIVE_MS },
      (socket) => this.#accept(socket),
    );
  }

  /** Stops accepting, and ends every connection. */
  async close(): Promise<void> {
    if (!this.server.listening) return;
    const closed = new Promise<void>((resolve) => {
      this.server.close(() => resolve());
    });
    for (const socket of this.#sockets) socket.destroySoon();
    await closed;
  }

  #accept(socket: Socket): void {
    const remote = remoteAddressOf(socket);
    const { logger } = this.#lookupd;
    logger.info(`TCP: new client(${remote})`);
    this.#sockets.add(socket);
    let lingering: NodeJS.Timeout | undefined;
    const session = new Session(this.#lookupd, remote, {
      // A broker that does not read its answers is not read from either.
      send: (bytes) => void (socket.write(bytes) || socket.pause()),
      end: () => {
        socket.end();
        socket.resume();
        lingering = setTimeout(() => socket.destroy(), LINGER_MS).unref();
      },
    });
    socket.on('data', (chunk) => session.receive(chunk));
    socket.on('drain', () => socket.resume());
    socket.on('end', () => session.receivedEnd());
    socket.on('error', (error) => logger.debug(`client(${remote}) - ${error.message}`));
    socket.on('close', () => {
      clearTimeout(lingering);
      this.#sockets.delete(socket);
      session.leave();
      logger.info(`TCP: client(${remote}) closed`);
    });
  }
}
