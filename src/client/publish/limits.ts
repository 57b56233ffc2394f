import { BrokerError, type ConnectionError } from '../errors.js';
import type { Negotiated } from '../identify.js';
import type { Parcel } from './parcel.js';
import type { Pending, PublishKind } from './pending.js';

/** `PUB message too big 101 > 100`, `MPUB body too big 101 > 100` */
const TOO_BIG = /\b(?<what>message|body) too big -?\d+ > (?<limit>\d+)$/;

/** What nsqd takes unless it was told otherwise, by command. */
const USUAL: Readonly<Record<PublishKind, number>> = {
  PUB: 1024 * 1024,
  DPUB: 1024 * 1024,
  MPUB: 5 * 1024 * 1024,
};

/**
 * What is known of the sizes a broker takes, in bytes: what it says in its answer to IDENTIFY, if it does, or what it
 * said when it refused something. nsqd closes the connection with each refusal; knowing the limit spares that.
 */
export class Limits {
  #message = Number.POSITIVE_INFINITY;
  #body = Number.POSITIVE_INFINITY;
  /** Commands up to here are taken, or were. */
  #taken = { ...USUAL };

  negotiated({ maxMsgSize, maxBodySize }: Negotiated): void {
    if (maxMsgSize > 0) this.#message = maxMsgSize;
    if (maxBodySize > 0) this.#body = maxBodySize;
  }

  /** A refusal teaches; after any other end, what comes back may be a broker with other settings. */
  disconnected(error: BrokerError | ConnectionError): void {
    if (!(error instanceof BrokerError)) {
      this.#message = Number.POSITIVE_INFINITY;
      this.#body = Number.POSITIVE_INFINITY;
      this.#taken = { ...USUAL };
      return;
    }
    const { what, limit } = TOO_BIG.exec(error.message)?.groups ?? {};
    if (what === 'message') this.#message = Number(limit);
    else if (what === 'body') this.#body = Number(limit);
  }

  /** Fails those calls that the broker would refuse; the parcel's others remain. */
  check(parcel: Parcel, address: string): void {
    if (parcel.bytes <= this.#message && parcel.bytes <= this.#body) return;
    for (const call of parcel.calls) {
      if (call.kind === 'MPUB' && call.bodySize > this.#body) {
        const words = `batch of ${call.bodySize} bytes, but the broker takes ${this.#body} (--max-body-size)`;
        call.reject('E_BAD_BODY', `${address}: ${words}`);
        continue;
      }
      const size = largestMessage(call);
      if (size > this.#message) {
        const words = `message of ${size} bytes, but the broker takes ${this.#message} (--max-msg-size)`;
        call.reject('E_BAD_MESSAGE', `${address}: ${words}`);
      }
    }
  }

  /**
   * Whether a parcel that was checked is surely not too large. nsqd refuses by the size that a command
   * begins with, and closes the connection; when the rest is under way by then, that becomes a reset, in which the refusal
   * is easily lost, and with it the answers to what was sent before.
   */
  takes({ bytes, kind }: Parcel): boolean {
    return (
      bytes <= this.#taken[kind] || (kind === 'MPUB' ? this.#body : this.#message) < Number.POSITIVE_INFINITY
    );
  }

  /** The broker took it. */
  took({ bytes, kind }: Parcel): void {
    if (bytes > this.#taken[kind]) this.#taken[kind] = bytes;
  }

  /** Whether the broker takes the parcel's calls as one command. */
  takesJoined(parcel: Parcel): boolean {
    return parcel.calls.length === 1 || parcel.bytes <= this.#body;
  }
}

function largestMessage({ kind, command, bodySize }: Pending): number {
  if (kind !== 'MPUB') return bodySize;
  let largest = 0;
  for (let at = command.length - bodySize + 4; at < command.length; ) {
    const size = command.readUInt32BE(at);
    largest = Math.max(largest, size);
    at += 4 + size;
  }
  return largest;
}
