import type { RawMessage } from '../../support/wire.js';
import { sized } from '../../support/wire.js';
import { Link } from './link.js';
import type { ChannelModel, Fate, Model } from './model.js';
import type { Random } from './random.js';

/** How a consumer treats its messages. */
export interface Habits {
  /** Shares of messages that are requeued at once, requeued with a delay, finished later, and left alone. */
  readonly requeue: number;
  readonly delay: number;
  readonly late: number;
  readonly forget: number;
  readonly rdy: number;
}

interface Change {
  id: string;
  apply: () => void;
}

const CHECKPOINT_TOPIC = 'checkpoint#ephemeral';
const CHECKPOINT_EVERY = 5;
const LATE_MS = 30;

/**
 * Takes messages of a channel. What it did with them counts for sure once the broker has answered two requests, one
 * after the other, that were sent later: by then the turn that did it has ended, and with it its commit.
 */
export class Consumer {
  readonly #model: Model;
  readonly #channel: ChannelModel;
  readonly #link: Link;
  readonly #random: Random;
  readonly #habits: Habits;
  /** What was done since the last checkpoint. */
  #changes: Change[] = [];
  readonly #refused = new Set<string>();
  #timer: NodeJS.Timeout | undefined;
  #lastFresh = '';
  #checking = false;
  /** The pause that it began in, 0 if the channel was not paused for sure. */
  readonly #pause: number;
  /** Called for each message. */
  onReceive: () => void = () => {};

  private constructor(model: Model, channel: ChannelModel, link: Link, random: Random, habits: Habits) {
    this.#model = model;
    this.#channel = channel;
    this.#link = link;
    this.#random = random;
    this.#habits = habits;
    this.#pause = channel.paused === true ? channel.pauses : 0;
    link.onMessage = (message) => this.#receive(message);
    link.onRefusal = (text) => this.#refused.add(/([0-9a-f]{16})/.exec(text)?.[1] ?? '');
    link.onEnd = () => clearTimeout(this.#timer);
  }

  /** Resolves when it is subscribed; undefined if the broker ended first. */
  static async start(
    model: Model,
    channel: ChannelModel,
    address: string,
    random: Random,
    habits: Habits,
  ): Promise<Consumer | undefined> {
    const link = await Link.open(address);
    const consumer = new Consumer(model, channel, link, random, habits);
    if (!channel.exists) channel.exists = undefined;
    const answer = await link.request(`SUB ${channel.topic.name} ${channel.name}\n`);
    if (answer === undefined) return undefined;
    if (answer !== 'OK') model.fault(`SUB ${channel.topic.name} ${channel.name} was answered with ${answer}`);
    channel.exists = true;
    link.send(`RDY ${habits.rdy}\n`);
    consumer.#arm();
    return consumer;
  }

  stop(): void {
    this.#link.close();
  }

  get ended(): boolean {
    return this.#link.ended;
  }

  #receive(message: RawMessage): void {
    const found = this.#model.delivered(this.#channel, message);
    if (this.#pause === this.#channel.pauses)
      this.#model.fault(`${this.#channel.topic.name}/${this.#channel.name} is paused and delivers`);
    if (!found) return;
    const { sent, fate } = found;
    if (message.attempts === 1 && sent.due === 0) {
      if (message.id <= this.#lastFresh) {
        this.#model.fault(
          `${this.#channel.topic.name}/${this.#channel.name}: ${message.id} came after ${this.#lastFresh}`,
        );
      }
      this.#lastFresh = message.id;
    }
    const { attempts } = message;
    this.#note(message.id, () => {
      fate.attempts = Math.max(fate.attempts, attempts);
    });
    this.#answer(fate, message.id);
    this.onReceive();
  }

  #answer(fate: Fate, id: string): void {
    const { requeue, delay, late, forget } = this.#habits;
    const choice = this.#random.next();
    if (choice < requeue) this.#link.send(`REQ ${id} 0\n`);
    else if (choice < requeue + delay) {
      const ms = this.#random.int(1, 400);
      const notBefore = Date.now() + ms;
      this.#link.send(`REQ ${id} ${ms}\n`);
      this.#note(id, () => {
        fate.notBefore = notBefore;
      });
    } else if (choice < requeue + delay + late) {
      setTimeout(() => this.#finish(fate, id), this.#random.int(1, LATE_MS));
    } else if (choice >= requeue + delay + late + forget) this.#finish(fate, id);
  }

  #finish(fate: Fate, id: string): void {
    if (this.#link.ended) return;
    this.#link.send(`FIN ${id}\n`);
    fate.finishing = true;
    this.#note(id, () => {
      fate.finished = true;
    });
  }

  #note(id: string, apply: () => void): void {
    this.#changes.push({ id, apply });
  }

  #arm(): void {
    this.#timer = setTimeout(() => void this.checkpoint(), CHECKPOINT_EVERY);
  }

  /** Makes sure of what was done so far. */
  async checkpoint(): Promise<void> {
    if (this.#checking || this.#link.ended) return;
    this.#checking = true;
    const changes = this.#changes;
    this.#changes = [];
    const first = await this.#link.request(`PUB ${CHECKPOINT_TOPIC}\n`, sized('x'));
    const refused = new Set(this.#refused);
    const second = await this.#link.request(`PUB ${CHECKPOINT_TOPIC}\n`, sized('x'));
    if (first === 'OK' && second === 'OK') {
      for (const { id, apply } of changes) if (!refused.has(id)) apply();
      // A delivery of a message counts also if what was answered came too late.
      for (const id of refused) this.#refused.delete(id);
    } else if (first !== undefined && second !== undefined) {
      this.#model.fault(`a checkpoint was answered with ${first}, ${second}`);
    }
    this.#checking = false;
    if (!this.#link.ended) this.#arm();
  }
}
