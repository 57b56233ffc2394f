import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import { Broker } from '../../src/broker/broker.js';
import { Compactor } from '../../src/broker/compactor.js';
import type { BrokerOptions } from '../../src/broker/settings.js';
import { Random } from '../crash/harness/random.js';
import { tempDir } from '../support/temp.js';
import { LoggerNotes } from './log/support/logs.js';
import { type Delivery, FakeConsumer } from './support/fake-consumer.js';

const HOUR = 3_600_000;
const NAMES = ['c', 'd'];

/** What one channel must still deliver, and who reads it. */
class Side {
  readonly owed: Set<string>;
  consumer: FakeConsumer | undefined;
  /** Deliveries of the consumer that were answered. */
  answered = 0;

  constructor(owed: Iterable<string> = []) {
    this.owed = new Set(owed);
  }
}

/** A broker to which everything happens that moves its files, and what it must have in the end. */
class World {
  broker!: Broker;
  readonly logger = new LoggerNotes();
  /** How often files were compacted and written over. */
  compacted = 0;
  overwritten = 0;
  readonly #random: Random;
  readonly #options: BrokerOptions;
  readonly #sides = new Map<string, Side>();
  /** Published while there was no channel, or the topic was paused. */
  #waiting: string[] = [];
  #paused = false;
  #next = 0;
  #compacting: Promise<void> | undefined;

  constructor(seed: number) {
    this.#random = new Random(seed);
    this.#options = {
      httpAddress: '',
      logger: Object.assign(this.logger, { debug: (line: string) => this.#note(line) }),
      logLevel: 'debug',
      compactionInterval: 0,
      maxBytesPerFile: this.#random.pick([3_000, 20_000, 100_000]),
      cacheSize: this.#random.pick([0, 50_000, 1e8]),
      ...(this.#random.chance(0.3) && { maxTopicBytes: 150_000 }),
    };
  }

  async open(dataPath = tempDir()): Promise<void> {
    this.broker = new Broker({ ...this.#options, dataPath });
    await this.broker.start();
    for (const side of this.#sides.values()) {
      side.consumer = undefined;
      side.answered = 0;
    }
  }

  #note(line: string): void {
    if (line.startsWith('compacted')) this.compacted++;
    if (line.startsWith('written over')) this.overwritten++;
  }

  async step(): Promise<void> {
    const random = this.#random;
    const choice = random.next();
    if (choice < 0.3) await this.#publish(random.chance(0.15) ? HOUR : 0);
    else if (choice < 0.6) this.#answer(0.9);
    else if (choice < 0.7) this.#read();
    else if (choice < 0.8) this.#compact();
    else if (choice < 0.87) await ticks(random.int(1, 8));
    else if (choice < 0.89) this.#empty();
    else if (choice < 0.92) this.#pause(!this.#paused);
    else if (choice < 0.95) this.#toggle(random.pick(NAMES));
    else if (choice < 0.965) this.#deleteTopic();
    else if (choice < 0.985) await this.#crash();
    else await this.#restart();
  }

  /** Lets an hour pass and everything be delivered, and compares. */
  async end(): Promise<void> {
    if (this.#paused) this.#pause(false);
    const now = Date.now() + 2 * HOUR;
    vi.spyOn(Date, 'now').mockReturnValue(now);
    await this.#restart();
    for (const [name, side] of this.#sides) {
      const consumer = new FakeConsumer(this.#topic.channel(name), 1e9);
      let idle = 0;
      for (let seen = -1; idle < 50; idle = seen === consumer.deliveries.length ? idle + 1 : 0) {
        seen = consumer.deliveries.length;
        this.broker.turn.run();
        await new Promise((resolve) => setTimeout(resolve, seen < side.owed.size ? 2 : 0));
      }
      expect(consumer.bodies.map(short).sort()).toEqual([...side.owed].sort());
    }
    vi.restoreAllMocks();
    await this.close();
  }

  async close(): Promise<void> {
    await this.#compacting;
    await this.broker.close();
  }

  get #topic() {
    return this.broker.topic('t');
  }

  async #publish(deferMs: number): Promise<void> {
    const random = this.#random;
    const count = deferMs > 0 ? random.int(1, 3) : random.int(1, 20);
    const size = random.int(50, random.chance(0.2) ? 8000 : 800);
    const bodies = Array.from({ length: count }, () => `${this.#next++} `.padEnd(size, '.'));
    // Deferred ones are kept each for itself: alone, one is there or not.
    const parts = deferMs > 0 ? bodies.map((body) => [body]) : [bodies];
    for (const part of parts) {
      const isKept = await this.broker.publish('t', part, { deferMs }).then(
        () => true,
        (error) => {
          if (error.code !== 'E_LIMIT') throw error;
          return false;
        },
      );
      if (!isKept) continue;
      const owed = part.map(short);
      if (this.#paused || this.#sides.size === 0) this.#waiting.push(...owed);
      else for (const side of this.#sides.values()) for (const body of owed) side.owed.add(body);
    }
  }

  #read(): void {
    for (const [name, side] of this.#sides) {
      if (side.consumer && this.#random.chance(0.3)) {
        side.consumer.leave();
        side.consumer = undefined;
      } else if (!side.consumer && this.#random.chance(0.7)) {
        side.consumer = new FakeConsumer(this.#topic.channel(name), this.#random.int(1, 300));
        side.answered = 0;
      }
    }
    this.broker.turn.run();
  }

  /** Consumers finish this share of what they got; the rest they give back, now or for an hour, or keep. */
  #answer(finished: number): void {
    this.broker.turn.run();
    for (const side of this.#sides.values()) {
      const { consumer } = side;
      if (!consumer) continue;
      const deliveries = consumer.deliveries.slice(side.answered);
      side.answered = consumer.deliveries.length;
      for (const delivery of deliveries) this.#answerOne(side, consumer, delivery, finished);
    }
    this.broker.turn.run();
  }

  #answerOne(side: Side, consumer: FakeConsumer, { n, body }: Delivery, finished: number): void {
    expect([...side.owed]).toContain(short(body));
    const choice = this.#random.next();
    if (choice < finished) {
      expect(consumer.fin(n)).toBe(true);
      side.owed.delete(short(body));
    } else if (choice < finished + 0.05) consumer.req(n, this.#random.pick([0, HOUR]));
  }

  /** One at a time, as in a broker. */
  #compact(): void {
    this.#compacting ??= new Compactor(this.broker).run().then(() => {
      this.#compacting = undefined;
    });
  }

  #empty(): void {
    if (this.#sides.size === 0) return;
    const [name, side] = this.#random.pick([...this.#sides]);
    this.#topic.channel(name).empty();
    side.owed.clear();
    side.answered = side.consumer?.deliveries.length ?? 0;
  }

  #pause(paused: boolean): void {
    this.#topic.pause(paused);
    this.#paused = paused;
    this.#passOn();
  }

  #passOn(): void {
    if (this.#paused || this.#sides.size === 0) return;
    for (const side of this.#sides.values()) for (const body of this.#waiting) side.owed.add(body);
    this.#waiting = [];
  }

  #toggle(name: string): void {
    if (this.#sides.delete(name)) this.#topic.deleteChannel(name);
    else {
      this.#topic.channel(name);
      this.#sides.set(name, new Side());
      this.#passOn();
    }
  }

  #deleteTopic(): void {
    if (!this.broker.deleteTopic('t')) return;
    this.#sides.clear();
    this.#waiting = [];
    this.#paused = false;
    // At once, while what there was is still being removed.
    if (this.#random.chance(0.8)) this.#toggle('c');
  }

  async #restart(): Promise<void> {
    this.broker.turn.run();
    await this.close();
    await this.open(this.broker.dataPath);
  }

  /** Goes on with what is there at this moment. */
  async #crash(): Promise<void> {
    this.broker.turn.run();
    const dataPath = tempDir();
    for (let tries = 0; ; tries++) {
      try {
        cpSync(this.broker.dataPath, dataPath, { recursive: true });
        break;
      } catch (error) {
        // A file was removed meanwhile, off the event loop.
        if (tries === 10) throw error;
        rmSync(join(dataPath, 'nsq-data'), { recursive: true, force: true });
      }
    }
    rmSync(join(dataPath, 'nsq-data', 'lock'));
    await this.close();
    await this.open(dataPath);
  }
}

/** A body's number. */
function short(body: string): string {
  return body.split(' ')[0]!;
}

async function ticks(count: number): Promise<void> {
  for (let left = count; left > 0; left--) await new Promise(setImmediate);
}

afterEach(() => {
  vi.restoreAllMocks();
});

const SEED = Number(process.env.STORAGE_SEED ?? Date.now() % 1_000_000);
const RUNS = Number(process.env.STORAGE_RUNS ?? 25);

test(`nothing is lost while files are compacted, written over, removed and begun anew (seed ${SEED})`, {
  timeout: 600_000,
}, async () => {
  let compacted = 0;
  let overwritten = 0;
  for (let run = 0; run < RUNS; run++) {
    const world = new World(SEED + run);
    await world.open();
    try {
      for (let steps = 0; steps < 150; steps++) await world.step();
      await world.end();
    } catch (error) {
      throw new Error(`seed ${SEED + run}\n${world.logger.lines.join('\n')}`, { cause: error });
    }
    compacted += world.compacted;
    overwritten += world.overwritten;
    const expected = /^warn .*messages refused/;
    expect(world.logger.lines.filter((line) => !expected.test(line))).toEqual([]);
  }
  expect(Math.min(compacted, overwritten)).toBeGreaterThan(0);
});
