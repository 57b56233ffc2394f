import { join } from 'node:path';
import { BrokerError, messageOf } from '../errors.js';
import { type Files, syncDirectory } from '../log/files.js';
import type { IdSource } from '../log/id-source.js';
import type { Logger } from '../logger.js';
import {
  type FoundTopic,
  filesOf,
  hasNsqdFiles,
  type Inventory,
  metadataFiles,
  type QueueFiles,
  takeInventory,
} from './inventory.js';
import { parseMetadata } from './metadata.js';
import { type NsqdLock, takeNsqdLock } from './nsqd-lock.js';
import { contentOf, readText } from './queue-position.js';
import { type Receipt, readReceipt, receiptOf, removeReceipt, unknownTo, writeReceipt } from './receipt.js';
import { NOTHING_TAKEN_OVER, type TakeoverReport, type TopicReport } from './report.js';
import { TopicImport } from './topic-import.js';

/** What a topic's directory is called while it is being built. */
const IMPORTING = '.importing';
const ASIDE = 'nsqd-imported-';

export interface TakeoverContext {
  readonly files: Files;
  readonly ids: IdSource;
  readonly logger: Logger;
  readonly dataPath: string;
  /** Where the topics' directories are, each called by its topic's name and `suffix`. */
  readonly topicsPath: string;
  readonly suffix: string;
  readonly maxBytesPerFile: number;
  readonly maxMsgSize: number;
}

/**
 * Imports what nsqd left in the data path, and moves its files aside. Nothing must have been loaded yet.
 *
 * For each topic: build `<topic>.topic.importing` with a receipt of the files it comes from, sync, rename it to
 * `<topic>.topic`, move the files. After a crash, a directory that is still being built is begun anew; one with a receipt is
 * complete, and only what is left of its files is moved. The receipts go when every topic is done, before anything is served.
 *
 * @throws BrokerError E_LOCKED if nsqd runs on the data path, E_FORMAT if its metadata is not readable, E_STORAGE
 */
export async function takeOver(context: TakeoverContext): Promise<TakeoverReport> {
  const { files, dataPath, topicsPath } = context;
  for (const entry of files.readdirSync(topicsPath)) {
    if (entry.endsWith(IMPORTING)) files.rmSync(join(topicsPath, entry));
  }
  const names = files.readdirSync(dataPath);
  if (!hasNsqdFiles(names)) return NOTHING_TAKEN_OVER;
  const lock = takeNsqdLock(dataPath);
  try {
    refuseHeld(context, lock.holder);
    return await takeFrom(context, names);
  } finally {
    lock.release();
  }
}

function refuseHeld({ dataPath, logger }: TakeoverContext, holder: NsqdLock['holder']): void {
  if (holder === 'unknown' && process.platform === 'linux')
    logger.warn(
      `importing from nsqd without a look at its lock, because there is no program flock that works: if it runs in another container, stop it first`,
    );
  if (typeof holder !== 'number') return;
  const who =
    holder === 0
      ? 'a process that cannot be seen from here, probably nsqd in another container'
      : `another process (${holder}), probably nsqd`;
  throw new BrokerError('E_LOCKED', `data path '${dataPath}' is held by ${who}`);
}

async function takeFrom(context: TakeoverContext, names: readonly string[]): Promise<TakeoverReport> {
  const { files, dataPath } = context;
  const [metadata] = metadataFiles(names);
  const listed =
    metadata === undefined
      ? []
      : parseMetadata(readText(files, join(dataPath, metadata)), join(dataPath, metadata));
  try {
    return await new Takeover(context, takeInventory(names, listed)).run();
  } catch (cause) {
    if (cause instanceof BrokerError) throw cause;
    throw new BrokerError('E_STORAGE', `cannot import from nsqd: ${messageOf(cause)}`, { cause });
  }
}

class Takeover {
  readonly #context: TakeoverContext;
  readonly #inventory: Inventory;
  /** The directories of the topics that there are. */
  readonly #directories: ReadonlySet<string>;
  readonly #receipts = new Map<string, Receipt>();
  readonly #warnings: string[] = [];
  readonly #reports: TopicReport[] = [];
  readonly #aside: string;
  #moved = false;

  constructor(context: TakeoverContext, inventory: Inventory) {
    const { files, topicsPath, suffix, dataPath } = context;
    this.#context = context;
    this.#inventory = inventory;
    const entries = files.readdirSync(topicsPath).filter((entry) => entry.endsWith(suffix));
    this.#directories = new Set(
      entries.filter((entry) => files.readdirSync(join(topicsPath, entry)).length > 0),
    );
    for (const entry of this.#directories) {
      const receipt = readReceipt(files, join(topicsPath, entry));
      if (receipt) this.#receipts.set(entry, receipt);
    }
    const [earlier] = this.#receipts.values();
    this.#aside = earlier?.aside ?? freeName(files.readdirSync(dataPath));
  }

  async run(): Promise<TakeoverReport> {
    const { logger, dataPath } = this.#context;
    for (const warning of this.#inventory.warnings) this.#warn(warning);
    for (const topic of this.#inventory.topics.values()) await this.#take(topic);
    this.#finish();
    const movedTo = this.#moved ? join(dataPath, this.#aside) : '';
    const imported = this.#reports.filter(({ outcome }) => outcome === 'imported');
    if (this.#moved)
      logger.info('imported from nsqd', {
        topics: imported.length,
        messages: imported.reduce((sum, { messages }) => sum + messages, 0),
        movedTo,
      });
    return { movedTo, topics: this.#reports, warnings: this.#warnings };
  }

  async #take(topic: FoundTopic): Promise<void> {
    const { files, dataPath, suffix } = this.#context;
    const names = filesOf(topic);
    const entry = topic.name + suffix;
    if (this.#directories.has(entry)) {
      this.#takeAgain(topic, names, this.#receipts.get(entry));
      return;
    }
    this.#leaveOutUnused(topic);
    if (topic.listed || this.#inventory.metadata.length === 0 || this.#hasMessages(topic)) {
      await this.#import(topic, entry, receiptOf(files, dataPath, names, this.#aside));
    }
    this.#move(names);
  }

  /** A topic of this name is there: the one that was imported before a crash, or another one. */
  #takeAgain(topic: FoundTopic, names: readonly string[], receipt: Receipt | undefined): void {
    const { files, dataPath, logger } = this.#context;
    const unknown = unknownTo(receipt, files, dataPath, names);
    if (unknown.length > 0 && this.#hasMessages(topic)) {
      const line = `topic ${topic.name} not imported: there is a topic of that name already; nsqd's files of it are left where they are (${unknown.join(', ')}). To have their messages, move these files to an empty directory and run 'nsq serve' on it, on other ports; or delete the topic here and start again`;
      logger.error(line);
      this.#warnings.push(line);
      this.#reports.push(emptyReport(topic, 'left'));
      return;
    }
    this.#move(names);
    if (receipt) this.#reports.push(receipt.report ?? emptyReport(topic, 'imported'));
  }

  async #import(topic: FoundTopic, entry: string, receipt: Receipt): Promise<void> {
    const { files, topicsPath, logger } = this.#context;
    const directory = join(topicsPath, entry);
    const building = directory + IMPORTING;
    files.mkdirSync(building);
    const topicImport = new TopicImport(
      { ...this.#context, warn: (line) => this.#warn(line) },
      topic,
      building,
    );
    try {
      const report = await topicImport.run((built) =>
        writeReceipt(files, building, { ...receipt, report: built }),
      );
      files.renameSync(building, directory);
      this.#syncUpwards();
      this.#reports.push(report);
      logger.info(`TOPIC(${topic.name}): imported from nsqd`, {
        messages: report.messages,
        waiting: report.waiting,
        paused: report.paused,
        channels: Object.fromEntries(report.channels.map(({ name, messages }) => [name, messages])),
      });
    } catch (error) {
      topicImport.abandon();
      this.#giveUp(building);
      throw error;
    }
  }

  #giveUp(building: string): void {
    try {
      this.#context.files.rmSync(building);
    } catch (error) {
      this.#context.logger.warn(`cannot remove ${building}`, { error });
    }
  }

  /** Channels that nsqd.dat does not list are gone, unless there is something in their queues. */
  #leaveOutUnused(topic: FoundTopic): void {
    if (this.#inventory.metadata.length === 0) return;
    if (!topic.listed && this.#hasMessages(topic)) {
      this.#warn(`topic ${topic.name} is not in ${this.#inventory.metadata[0]}, but has messages: imported`);
    }
    for (const { name, listed, queue } of [...topic.channels.values()]) {
      if (listed) continue;
      if (!this.#isFilled(queue)) topic.channels.delete(name);
      else if (topic.listed) {
        this.#warn(
          `channel ${name} of topic ${topic.name} is not in ${this.#inventory.metadata[0]}, but has messages: imported`,
        );
      }
    }
  }

  #hasMessages({ queue, channels }: FoundTopic): boolean {
    return this.#isFilled(queue) || [...channels.values()].some((channel) => this.#isFilled(channel.queue));
  }

  #isFilled(queue: QueueFiles): boolean {
    return contentOf(this.#context.files, this.#context.dataPath, queue).parts.length > 0;
  }

  /** Every topic is done: receipts are no longer needed; what nothing was imported from goes too, and the metadata last. */
  #finish(): void {
    const { files, topicsPath, suffix } = this.#context;
    for (const entry of files.readdirSync(topicsPath)) {
      if (!entry.endsWith(suffix)) continue;
      const directory = join(topicsPath, entry);
      if (readReceipt(files, directory)) removeReceipt(files, directory);
    }
    this.#move([...this.#inventory.unused, ...this.#inventory.metadata]);
  }

  #move(names: readonly string[]): void {
    if (names.length === 0) return;
    const { files, dataPath } = this.#context;
    const aside = join(dataPath, this.#aside);
    files.mkdirSync(aside);
    for (const name of names) files.renameSync(join(dataPath, name), join(aside, name));
    syncDirectory(files, aside);
    syncDirectory(files, dataPath);
    this.#moved = true;
  }

  /** Before nsqd's files of a topic go, the topic's own directory has its name for good. */
  #syncUpwards(): void {
    const { files, topicsPath, dataPath } = this.#context;
    syncDirectory(files, topicsPath);
    syncDirectory(files, join(topicsPath, '..'));
    syncDirectory(files, dataPath);
  }

  #warn(line: string): void {
    this.#context.logger.warn(line);
    this.#warnings.push(line);
  }
}

function emptyReport({ name, paused, channels }: FoundTopic, outcome: TopicReport['outcome']): TopicReport {
  return {
    name,
    paused,
    outcome,
    messages: 0,
    bytes: 0,
    waiting: 0,
    channels: [...channels.values()].map((channel) => ({
      name: channel.name,
      paused: channel.paused,
      messages: 0,
    })),
  };
}

/** `nsqd-imported-<time>`, with a number behind if that is taken. */
function freeName(taken: readonly string[]): string {
  const time = new Date().toISOString().replace(/\.\d+/, '').replaceAll(':', '-');
  for (let i = 1; ; i++) {
    const name = ASIDE + time + (i === 1 ? '' : `-${i}`);
    if (!taken.includes(name)) return name;
  }
}
