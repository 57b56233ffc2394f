import { createServer, type Server, type Socket } from 'node:net';
import { remoteAddressOf } from '../../daemon/remote-address.js';
import { encodeFrame, FrameType } from '../../protocol/frame.js';
import type { Broker } from '../broker.js';
import { readShared } from './accepted-socket.js';
import { Session } from './session.js';

const MAGIC = Buffer.from('  V2');
/** Stands for a magic that was refused: longer than any. */
const REFUSED = Buffer.alloc(MAGIC.length + 1);

/** Accepts TCP clients: the magic first, then a session. */
export class TcpServer {
  readonly server: Server;
  readonly sessions = new Set<Session>();
  readonly #broker: Broker;
  /** Connections that have not said which protocol they speak. */
  readonly #strangers = new Set<Socket>();

  constructor(broker: Broker) {
    this.#broker = broker;
    this.server = createServer({ allowHalfOpen: true, noDelay: true, pauseOnConnect: true }, (it) =>
      this.#accept(it),
    );
  }

  /** Stops accepting, lets what is being sent go out, and ends every connection. */
  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => {
      this.server.close(() => resolve());
    });
    for (const session of this.sessions) session.shutdown();
    this.#broker.turn.run();
    for (const session of this.sessions) session.stream.destroySoon();
    for (const socket of this.#strangers) socket.destroySoon();
    await closed;
  }

  /** Ends every connection at once: what has yet to be sent does not go out. */
  cut(): void {
    for (const session of this.sessions) session.stream.destroy();
    for (const socket of this.#strangers) socket.destroy();
  }

  #accept(accepted: Socket): void {
    const remote = remoteAddressOf(accepted);
    this.#broker.logger.info(`TCP: new client(${remote})`);
    let session: Session | undefined;
    let magic = Buffer.alloc(0);
    const socket = readShared(accepted, (chunk) => {
      if (session) {
        session.receive(chunk);
        return;
      }
      if (magic.length > MAGIC.length) return;
      magic = Buffer.concat([magic, chunk]);
      if (magic.length < MAGIC.length) return;
      if (magic.compare(MAGIC, 0, MAGIC.length, 0, MAGIC.length) !== 0) {
        this.#broker.logger.error(
          `client(${remote}) bad protocol magic '${magic.toString('latin1', 0, MAGIC.length)}'`,
        );
        magic = REFUSED;
        socket.end(encodeFrame(FrameType.Error, 'E_BAD_PROTOCOL'));
        return;
      }
      socket.setTimeout(0);
      session = new Session(this.#broker, socket, remote);
      this.sessions.add(session);
      this.#strangers.delete(socket);
      const rest = magic.subarray(MAGIC.length);
      if (rest.length > 0) session.receive(rest);
    });
    this.#strangers.add(socket);
    socket.setTimeout(this.#broker.settings.clientTimeout, () => socket.destroy());
    socket.on('error', (error) => this.#broker.logger.debug(`client(${remote}) - ${error.message}`));
    socket.on('end', () => (session ? session.receivedEnd() : socket.end()));
    socket.on('close', () => {
      this.#strangers.delete(socket);
      if (!session) return;
      this.sessions.delete(session);
      session.close();
      this.#broker.logger.info(`TCP: client(${remote}) closed`);
    });
  }
}
