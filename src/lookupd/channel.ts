import type { Producer, Topic } from './registration.js';

/** Bits that V8 keeps a number of in place. */
const BITS = 30;

/**
 * A channel of a topic and who has it: a bit of each producer, or a set of them where the topic has more channels than
 * there are bits.
 */
export class Channel {
  readonly name: string;
  readonly topic: Topic;
  readonly #bit: number;
  readonly #others: Set<Producer> | undefined;
  #count = 0;

  /** The topic does not have it yet. */
  constructor(topic: Topic, name: string) {
    this.name = name;
    this.topic = topic;
    const lowest = ~topic.takenBits & (topic.takenBits + 1);
    this.#bit = lowest < 1 << BITS ? lowest : 0;
    if (this.#bit === 0) this.#others = new Set();
    topic.takenBits |= this.#bit;
  }

  /** How many have it. */
  get size(): number {
    return this.#count;
  }

  /** @param producer of the same topic */
  has(producer: Producer): boolean {
    return this.#others ? this.#others.has(producer) : (producer.channels & this.#bit) !== 0;
  }

  /** False if it has it already. */
  add(producer: Producer): boolean {
    if (this.has(producer)) return false;
    if (this.#others) this.#others.add(producer);
    else producer.channels |= this.#bit;
    this.#count++;
    return true;
  }

  /** False if it does not have it. */
  delete(producer: Producer): boolean {
    if (!this.has(producer)) return false;
    if (this.#others) this.#others.delete(producer);
    else producer.channels &= ~this.#bit;
    this.#count--;
    return true;
  }

  /** Those that have it. */
  producers(): Producer[] {
    return [...this.topic.producers.values()].filter((producer) => this.has(producer));
  }

  /** Takes it from all; its bit can be another channel's from then on. The topic has it no more. */
  release(): void {
    for (const producer of this.producers()) this.delete(producer);
    this.topic.takenBits &= ~this.#bit;
  }
}
