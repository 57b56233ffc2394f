import { mpubBody, sized, u32 } from '../../support/wire.js';
import { Link } from './link.js';
import { bodyOf, type Model, type Sent, type TopicModel } from './model.js';
import type { Random } from './random.js';

/** Publishes with a few requests under way at a time, until the connection ends. */
export class Producer {
  static #next = 0;
  readonly #model: Model;
  readonly #address: string;
  #link: Link;
  #reconnecting: Promise<void> | undefined;
  readonly #topics: readonly TopicModel[];
  readonly #random: Random;
  readonly #id = Producer.#next++;
  readonly #done: Promise<unknown>;
  #stopping = false;
  /** A limit was reached. */
  #refused = false;

  private constructor(
    model: Model,
    address: string,
    link: Link,
    topics: readonly TopicModel[],
    random: Random,
    lanes: number,
  ) {
    this.#model = model;
    this.#address = address;
    this.#link = link;
    this.#topics = topics;
    this.#random = random;
    this.#done = Promise.all(Array.from({ length: lanes }, () => this.#run()));
  }

  static async start(
    model: Model,
    address: string,
    topics: readonly TopicModel[],
    random: Random,
  ): Promise<Producer> {
    return new Producer(model, address, await Link.open(address), topics, random, random.int(1, 8));
  }

  /** Resolves when every answer has come, or the connection has ended. */
  async stop(): Promise<void> {
    this.#stopping = true;
    await this.#done;
    this.#link.close();
  }

  async #run(): Promise<void> {
    while (!this.#stopping && !this.#link.ended) {
      const batch = await this.#publish();
      if (batch[0]?.outcome === 'refused') this.#refused = true;
      // After a publish that failed, the broker closes the connection.
      if (this.#refused) {
        this.#reconnecting ??= this.#reconnect();
        await this.#reconnecting;
      } else if (batch[0]?.outcome === 'unsure') return;
      if (this.#random.chance(0.02))
        await new Promise((resolve) => setTimeout(resolve, this.#random.int(1, 20)));
    }
  }

  /** Consumers get a moment to make room. */
  async #reconnect(): Promise<void> {
    this.#link.close();
    await new Promise((resolve) => setTimeout(resolve, this.#random.int(1, 30)));
    this.#link = await Link.open(this.#address).catch(() => this.#link);
    this.#refused = false;
    this.#reconnecting = undefined;
  }

  async #publish(): Promise<readonly Sent[]> {
    const random = this.#random;
    const topic = random.pick(this.#topics);
    const kind = random.next();
    const count = kind < 0.5 ? 1 : kind < 0.9 ? random.int(1, random.chance(0.1) ? 600 : 60) : 1;
    const deferMs = kind >= 0.9 ? random.int(1, random.chance(0.2) ? 3000 : 300) : 0;
    const large = count === 1 && random.chance(0.03);
    const sizes = Array.from({ length: count }, () => random.int(8, large ? 200_000 : 250));
    const batch = this.#model.publishing(topic, sizes, this.#id, deferMs);
    const bodies = batch.map(({ seq, size }) => bodyOf(seq, size));
    let answer: string | undefined;
    if (deferMs > 0) answer = await this.#link.request(`DPUB ${topic.name} ${deferMs}\n`, sized(bodies[0]!));
    else if (count > 1 || random.chance(0.1))
      answer = await this.#link.request(`MPUB ${topic.name}\n`, mpubBody(bodies));
    else answer = await this.#link.request(`PUB ${topic.name}\n`, u32(bodies[0]!.length), bodies[0]!);
    this.#model.answered(batch, answer);
    return batch;
  }
}
