import type { Address } from '../address.js';
import { Connection, type ConnectionOwner } from '../connection.js';
import type { BrokerError, ConnectionError } from '../errors.js';
import { Link } from '../link.js';
import type { ConnectionSettings } from '../options.js';
import { Limits } from './limits.js';
import type { Parcel } from './parcel.js';

/** Of a command, in bytes: all of it by which a broker can tell that it is too large. */
const HEAD_SIZE = 256;
/** How long a broker may take to say so, over the round trip, ms. */
const OBJECTION_TIME = 10;
/** But no longer in all. */
const MAX_OBJECTION_TIME = 500;

/** What a {@link Node} tells its pool. */
export interface NodeHost {
  connected(node: Node): void;
  disconnected(node: Node, error: BrokerError | ConnectionError): void;
  retrying(node: Node, error: BrokerError | ConnectionError, delay: number): void;
  drained(): void;
}

/** One nsqd that is published to. */
export class Node implements ConnectionOwner {
  readonly ignoresMessages = true;
  readonly address: Address;
  readonly link: Link;
  readonly limits = new Limits();
  /** A call to it timed out, and nothing was answered since. */
  isSuspect = false;
  /** Present while it is up. */
  #connection: Connection | undefined;
  readonly #host: NodeHost;

  constructor(address: Address, settings: ConnectionSettings, host: NodeHost) {
    this.address = address;
    this.#host = host;
    this.link = new Link(address, settings, {
      open: (signal) => Connection.open(address, settings, this, signal, async () => undefined),
      up: (connection) => {
        this.#connection = connection;
        this.isSuspect = false;
        this.limits.negotiated(connection.negotiated);
        host.connected(this);
      },
      retrying: (error, delay) => host.retrying(this, error, delay),
    });
  }

  get isUp(): boolean {
    return this.#connection !== undefined;
  }

  /** Whether it takes more now. */
  get isWritable(): boolean {
    return this.#connection?.isWritable === true;
  }

  /** Hands the parcel to the connection, which must be there; it goes out with the next {@link flush}. */
  send(parcel: Parcel): void {
    const connection = this.#connection;
    if (connection === undefined) return;
    const command = parcel.pack();
    if (this.limits.takes(parcel)) {
      connection.enqueue(command, parcel);
      return;
    }
    const ms = Math.min(OBJECTION_TIME + 2 * connection.roundTrip, MAX_OBJECTION_TIME);
    connection.requestHeld(command, parcel, HEAD_SIZE, ms);
  }

  /** Writes what was handed over. */
  flush(): void {
    this.#connection?.flush();
  }

  async close(): Promise<void> {
    this.link.stop();
    await this.#connection?.close();
  }

  message(): void {
    // Nothing is subscribed to: a broker that sends messages all the same gets no answer.
  }

  refused(): void {
    // Answers to FIN, REQ and TOUCH, which are never sent here.
  }

  drained(): void {
    this.#host.drained();
  }

  closed(error: BrokerError | ConnectionError): void {
    const wasUp = this.#connection !== undefined;
    this.#connection = undefined;
    this.limits.disconnected(error);
    if (wasUp) this.#host.disconnected(this, error);
    this.link.lost(error);
  }
}
