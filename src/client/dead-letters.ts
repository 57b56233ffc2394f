import type { Message } from './message.js';
import type { ConsumerOptions } from './options.js';
import { Producer } from './producer.js';

/** Publishes given-up messages to a topic of the nsqd that each came from. */
export class DeadLetters {
  readonly #topic: string;
  readonly #options: ConsumerOptions;
  readonly #producers = new Map<string, Producer>();

  /** @param options the consumer's, of which those of its connections count */
  constructor(topic: string, options: ConsumerOptions) {
    this.#topic = topic;
    this.#options = options;
  }

  /** Resolves when the broker has it. @throws PublishError */
  async publish(message: Message): Promise<void> {
    let producer = this.#producers.get(message.nsqdAddress);
    if (!producer) {
      // Its own nsqd, and none besides that a lookupd knows.
      const where = { nsqdTcpAddress: message.nsqdAddress, lookupdHttpAddresses: undefined };
      producer = new Producer({ ...this.#options, ...where });
      this.#producers.set(message.nsqdAddress, producer);
    }
    await producer.publish(this.#topic, message.body);
  }

  async close(): Promise<void> {
    await Promise.all([...this.#producers.values()].map((producer) => producer.close({ timeout: 0 })));
  }
}
