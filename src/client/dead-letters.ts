import type { Message } from './message.js';
import { CONNECTION_OPTIONS } from './option-table/connection-options.js';
import type { ConnectionOptions, ConsumerOptions } from './options.js';
import { Producer } from './producer.js';

/** Publishes given-up messages to a topic of the nsqd that each came from. */
export class DeadLetters {
  readonly #topic: string;
  readonly #connection: ConnectionOptions;
  readonly #producers = new Map<string, Producer>();

  /** @param options the consumer's, of which those of its connections count */
  constructor(topic: string, options: ConsumerOptions) {
    this.#topic = topic;
    this.#connection = Object.fromEntries(
      Object.entries(options).filter(([name]) => Object.hasOwn(CONNECTION_OPTIONS, name)),
    );
  }

  /** Resolves when the broker has it; keeps the message meanwhile, lest it comes and goes here again. @throws PublishError */
  async publish(message: Message): Promise<void> {
    const address = message.nsqdAddress;
    let producer = this.#producers.get(address);
    if (!producer) {
      producer = new Producer({ ...this.#connection, nsqdTcpAddress: address });
      this.#producers.set(address, producer);
    }
    const letGo = keep(message);
    try {
      await producer.publish(this.#topic, message.body);
    } finally {
      letGo();
      if (!message.isLive) this.leave(address);
    }
  }

  /** Its connection is over: whoever is back may have another address. */
  leave(address: string): void {
    const producer = this.#producers.get(address);
    if (producer?.pending !== 0) return;
    this.#producers.delete(address);
    void producer.close({ timeout: 0 });
  }

  async close(): Promise<void> {
    await Promise.all([...this.#producers.values()].map((producer) => producer.close({ timeout: 0 })));
  }
}

/** Touches the message at half its time, as long as that is of use, until the returned function is called. */
function keep(message: Message): () => void {
  const half = message.timeLimit / 2;
  let timer: NodeJS.Timeout | undefined;
  const look = (): void => {
    if (!message.isLive) return;
    if (performance.now() - message.heldSince >= half) message.touch();
    const due = message.heldSince + half - performance.now();
    timer = setTimeout(look, Math.max(1, Math.ceil(due))).unref();
  };
  if (half > 0) look();
  return () => clearTimeout(timer);
}
