import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Admin, PASSING, SCRATCH } from './admin.js';
import { Consumer, type Habits } from './consumer.js';
import { Model } from './model.js';
import { Producer } from './producer.js';
import { Random } from './random.js';
import { Victim } from './victim.js';

export interface CrashOptions {
  readonly kills: number;
  readonly seed: number;
  /** Command and first arguments of the broker. */
  readonly command: readonly string[];
  /** Told now and then how it goes. */
  readonly progress?: (text: string) => void;
  /** Keep the data path of a run that found a fault. */
  readonly keep?: boolean;
}

export interface CrashReport {
  readonly kills: number;
  readonly faults: readonly string[];
  readonly published: number;
  readonly confirmed: number;
  readonly received: number;
  readonly redelivered: number;
  /** Messages that a limit kept out. */
  readonly refused: number;
  /** Topics that were deleted, segments that were compacted, files that were written over. */
  readonly deletions: number;
  readonly compactions: number;
  readonly overwritten: number;
  readonly dataPath: string;
}

const DRAIN_EVERY = 10;
const DRAIN_MS = 20_000;
const CALM: Habits = { requeue: 0, delay: 0, late: 0, forget: 0, rdy: 500 };

/** Kills a working broker again and again, and checks what it makes of it. */
export async function crash(options: CrashOptions): Promise<CrashReport> {
  const run = new Run(options);
  const report = await run.all();
  if (report.faults.length === 0 || !options.keep) rmSync(report.dataPath, { recursive: true, force: true });
  return report;
}

class Run {
  readonly #options: CrashOptions;
  readonly #dataPath = mkdtempSync(join(tmpdir(), 'nsq-crash-'));
  readonly #model = new Model(['steady', 'busy', 'late', PASSING]);
  readonly #random: Random;
  #kills = 0;
  #compactions = 0;
  #overwritten = 0;

  constructor(options: CrashOptions) {
    this.#options = options;
    this.#random = new Random(options.seed);
  }

  async all(): Promise<CrashReport> {
    const model = this.#model;
    while (this.#kills < this.#options.kills && model.faults.length === 0) {
      if (this.#random.chance(0.1)) await this.#killStarting(this.#random.fork());
      else await this.#round(this.#random.fork());
      this.#kills++;
      const last = this.#kills === this.#options.kills;
      if (model.faults.length === 0 && (this.#kills % DRAIN_EVERY === 0 || last))
        await this.#drain(this.#random.fork());
    }
    return {
      kills: this.#kills,
      faults: model.faults,
      published: model.published,
      confirmed: model.confirmed,
      received: model.received,
      redelivered: model.redelivered,
      refused: model.refused,
      deletions: model.deletions,
      compactions: this.#compactions,
      overwritten: this.#overwritten,
      dataPath: this.#dataPath,
    };
  }

  #start(random: Random, msgTimeout = '1s'): Victim {
    const flags = [
      `--max-bytes-per-file=${random.pick([65_536, 300_000, 1_500_000, 6_000_000])}`,
      `--sync-timeout=${random.pick(['20ms', '2s'])}`,
      `--compaction-interval=${random.pick(['10ms', '5s'])}`,
      `--max-topic-bytes=${random.pick([0, 0, 0, 400_000, 3_000_000])}`,
      '--on-limit=reject',
      '--log-level=debug',
      `--durability=${random.pick(['os', 'os', 'os', 'fsync'])}`,
      `--msg-timeout=${msgTimeout}`,
      '--queue-scan-refresh-interval=100ms',
      '--max-rdy-count=2500',
    ];
    return new Victim({ command: this.#options.command, dataPath: this.#dataPath, flags });
  }

  async #killStarting(random: Random): Promise<void> {
    const victim = this.#start(random);
    await pause(random.int(0, 500));
    await victim.kill();
    this.#complain(victim);
  }

  async #round(random: Random): Promise<void> {
    const model = this.#model;
    const victim = this.#start(random);
    const { tcp, http } = await victim.ready();
    const admin = new Admin(model, http);
    await admin.verify();
    if (model.faults.length > 0) {
      await victim.kill();
      return;
    }
    const over = pause(random.int(5, random.chance(0.3) ? 900 : 300));
    const producers: Producer[] = [];
    const consumers: (Consumer | undefined)[] = [];
    for (let left = random.int(0, 3); left > 0; left--) {
      producers.push(await Producer.start(model, tcp, model.topics, random.fork()));
    }
    if (random.chance(0.8)) {
      for (const topic of model.topics) {
        if (topic.name !== 'late' && topic.channels.length === 0) topic.channel('c0');
        for (const channel of topic.channels) {
          if (channel.name.startsWith(SCRATCH)) continue;
          for (let left = random.int(0, 2); left > 0; left--) {
            consumers.push(await Consumer.start(model, channel, tcp, random.fork(), habits(random)));
          }
        }
      }
    }
    if (random.chance(0.7)) admin.start(random.fork());
    await over;
    if (victim.ended) model.fault(`the broker ended by itself:\n${victim.output}`);
    if (random.chance(0.05)) await victim.stop();
    else await victim.kill();
    for (const consumer of consumers) consumer?.stop();
    await Promise.all([...producers.map((it) => it.stop()), admin.stop()]);
    this.#complain(victim);
  }

  /** Lets everything be delivered and finished: nothing may be missing then, and nothing left. */
  async #drain(random: Random): Promise<void> {
    const model = this.#model;
    // Nobody leaves a message alone here: where the machine stands still for a second, none is to time out.
    const victim = this.#start(random, '1m');
    const { tcp, http } = await victim.ready();
    const admin = new Admin(model, http);
    await admin.verify();
    const consumers: (Consumer | undefined)[] = [];
    for (const topic of model.topics) {
      await admin.createTopic(topic);
      await admin.pauseTopic(topic, false);
      for (const channel of topic.channels) {
        if (channel.exists && channel.name.startsWith(SCRATCH)) await admin.deleteChannel(channel);
      }
      // A topic without a channel keeps what it has.
      if (!topic.channels.some((it) => it.exists)) topic.channel('c0');
      for (const channel of topic.channels) {
        if (channel.name.startsWith(SCRATCH)) continue;
        if (channel.exists) await admin.pauseChannel(channel, false);
        consumers.push(await Consumer.start(model, channel, tcp, random.fork(), CALM));
      }
    }
    const until = Date.now() + DRAIN_MS;
    let waiting = await admin.waiting();
    while (waiting > 0 && Date.now() < until && model.faults.length === 0) {
      await pause(20);
      waiting = await admin.waiting();
    }
    if (waiting > 0) model.fault(`${waiting} messages are left: ${JSON.stringify(await admin.stats())}`);
    const missing = model.missing();
    if (missing.length > 0)
      model.fault(`${missing.length} messages are missing:\n  ${missing.slice(0, 30).join('\n  ')}`);
    model.checkOrder();
    await Promise.all(consumers.map((it) => it?.checkpoint()));
    for (const consumer of consumers) consumer?.stop();
    if (victim.ended) model.fault(`the broker ended by itself:\n${victim.output}`);
    if (random.chance(0.5)) await victim.kill();
    else await victim.stop();
    this.#complain(victim);
    if (model.faults.length === 0) model.forget();
    this.#options.progress?.(
      `${this.#kills} kills: ${model.confirmed} of ${model.published} messages confirmed, ` +
        `${model.received} received, ${model.redelivered} of them again`,
    );
  }

  #complain(victim: Victim): void {
    this.#compactions += victim.count(/\bcompacted\b/);
    this.#overwritten += victim.count(/\bwritten over\b/);
    for (const line of victim.complaints) this.#model.fault(`the broker said: ${line}`);
  }
}

function habits(random: Random): Habits {
  const wild = random.chance(0.5);
  return {
    requeue: wild ? 0.08 : 0.01,
    delay: wild ? 0.05 : 0.01,
    late: random.chance(0.3) ? 0.3 : 0,
    forget: wild ? 0.05 : 0,
    rdy: random.pick([1, 10, 200, 2500]),
  };
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
