import { BrokerError, type ConnectionError } from '../errors.js';
import type { Negotiated } from '../identify.js';
import type { Parcel } from './parcel.js';
import type { Pending } from './pending.js';

/** `PUB message too big 101 > 100`, `MPUB body too big 101 > 100` */
const TOO_BIG = /\b(?<what>message|body) too big -?\d+ > (?<limit>\d+)$/;

/**
 * What is known of the sizes a broker takes, in bytes: what it says in its answer to IDENTIFY, if it does, or what it
 * said when it refused something. nsqd closes the connection with each refusal; knowing the limit spares that.
 */
export class Limits {
  #message = Number.POSITIVE_INFINITY;
  #body = Number.POSITIVE_INFINITY;

  negotiated({ maxMsgSize, maxBodySize }: Negotiated): void {
    if (maxMsgSize > 0) this.#message = maxMsgSize;
    if (maxBodySize > 0) this.#body = maxBodySize;
  }

  /** A refusal teaches; after any other end, what comes back may be a broker with other settings. */
  disconnected(error: BrokerError | ConnectionError): void {
    if (!(error instanceof BrokerError)) {
      this.#message = Number.POSITIVE_INFINITY;
      this.#body = Number.POSITIVE_INFINITY;
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
