import {
  type BrokerError,
  type ConnectionError,
  Producer,
  type ProducerOptions,
  PublishError,
} from '../../client/index.js';
import { explain } from '../explanation.js';
import type { Target } from '../relay/delivery.js';
import { DeliveryError, type DeliveryErrorCode } from '../relay/delivery-error.js';

export interface Outgoing {
  readonly topic: string;
  readonly body: Buffer;
}

/** Refusals for what is in a message, or for where it shall go: the nsqd is well. */
const ABOUT_MESSAGE: ReadonlySet<string> = new Set(['E_BAD_MESSAGE', 'E_BAD_BODY', 'E_BAD_TOPIC']);

/** Messages in flight bound what is pending. */
const UNBOUNDED = { maxPending: Number.MAX_SAFE_INTEGER, maxPendingBytes: Number.MAX_SAFE_INTEGER };

/**
 * An nsqd that messages are published to, many at a time. It is connected to when there is a message; when that fails,
 * all messages that wait for it fail at once, so that they can go elsewhere, and the next one tries again.
 */
export class Destination implements Target<Outgoing> {
  readonly name: string;
  readonly #options: ProducerOptions;
  #producer: Producer | undefined;
  #lastError: BrokerError | ConnectionError | undefined;

  /** @throws OptionError when the address or an option is not valid */
  constructor(address: string, options: ProducerOptions) {
    this.name = address;
    this.#options = { ...UNBOUNDED, ...options, nsqdTcpAddress: address };
    this.#producer = this.#open();
  }

  async send({ topic, body }: Outgoing): Promise<void> {
    this.#producer ??= this.#open();
    try {
      await this.#producer.publish(topic, body);
    } catch (error) {
      throw this.#deliveryError(error);
    }
  }

  async close(): Promise<void> {
    await this.#producer?.close();
  }

  #open(): Producer {
    const producer = new Producer(this.#options);
    let isLost = false;
    producer.on('disconnect', () => {
      isLost = true;
    });
    producer.on('retry', (_, error) => {
      this.#lastError = error;
      // After a loss it may be there again at once; what was not sent waits for that one attempt.
      if (!isLost) this.#giveUp(producer);
      isLost = false;
    });
    return producer;
  }

  #giveUp(producer: Producer): void {
    if (this.#producer === producer) this.#producer = undefined;
    void producer.close({ timeout: 0 });
  }

  #deliveryError(cause: unknown): DeliveryError {
    const code = cause instanceof PublishError ? cause.code : '';
    const mayHaveArrived = cause instanceof PublishError && cause.mayHaveArrived;
    if (code === 'E_TIMEOUT') return this.#error('E_TIMEOUT', cause);
    if (code !== 'E_CLOSED' && code !== 'E_CONNECTION_LOST')
      return this.#error('E_REFUSED', cause, { aboutMessage: ABOUT_MESSAGE.has(code) });
    return this.#error(mayHaveArrived ? 'E_LOST' : 'E_UNREACHABLE', this.#lastError ?? cause);
  }

  #error(code: DeliveryErrorCode, cause: unknown, options: { aboutMessage?: boolean } = {}): DeliveryError {
    const words = explain(cause).message;
    const address = `${this.name}: `;
    const message = words.startsWith(address) ? words.slice(address.length) : words;
    return new DeliveryError(code, message, { ...options, cause });
  }
}
