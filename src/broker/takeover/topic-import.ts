import { join } from 'node:path';
import { BrokerError } from '../errors.js';
import { type Files, syncDirectory } from '../log/files.js';
import type { IdSource } from '../log/id-source.js';
import { openSegments } from '../log/open.js';
import { SegmentList } from '../log/segment-list.js';
import { SlabCache } from '../log/slab-cache.js';
import { TopicLog } from '../log/topic-log.js';
import type { Logger } from '../logger.js';
import { Journal } from '../state/journal.js';
import type { EntryWriter } from '../state/journal-entries.js';
import { ChannelShare } from './channel-share.js';
import { IdIndex } from './id-index.js';
import type { FoundChannel, FoundTopic, QueueFiles } from './inventory.js';
import { QueueMerge } from './queue-merge.js';
import { contentOf, type QueueContent } from './queue-position.js';
import { QueueReader } from './queue-reader.js';
import type { TopicReport } from './report.js';

/** Appended bytes after which they are written. */
const COMMIT_SIZE = 1024 * 1024;
/** What is written is not read back here. */
const CACHE_SIZE = 2 * COMMIT_SIZE;
/** Bytes of a queue's file that are read at once; all queues of a topic together have no more than the second one. */
const LARGEST_WINDOW = 256 * 1024;
const ALL_WINDOWS = 32 * 1024 * 1024;
const SMALLEST_WINDOW = 4 * 1024;
/** Messages read between two chances for the event loop. */
const STRIDE = 50_000;

export interface ImportContext {
  readonly files: Files;
  readonly ids: IdSource;
  readonly logger: Logger;
  readonly dataPath: string;
  readonly maxBytesPerFile: number;
  readonly maxMsgSize: number;
  /** Takes a line for each thing that was not in order. */
  readonly warn: (line: string) => void;
}

interface ChannelImport {
  readonly channel: FoundChannel;
  readonly content: QueueContent;
  readonly share: ChannelShare;
}

/**
 * Builds a topic's directory from nsqd's queues. In nsqd every channel has a queue of its own, here one log has all
 * messages: first those of the channels, each once, then those that no channel had got yet.
 *
 *     log     [ union of the channels' queues | the topic's own queue ]
 *     journal   per channel which of these      └ all channels
 *               are its own, attempts
 */
export class TopicImport {
  readonly #context: ImportContext;
  readonly #topic: FoundTopic;
  readonly #directory: string;
  readonly #log: TopicLog;
  readonly #channels: readonly ChannelImport[];
  /** What the topic had not passed on. */
  readonly #waiting: QueueContent;
  #index: IdIndex | undefined;
  #bytes = 0;
  #steps = 0;

  /** @param directory is there, and empty */
  constructor(context: ImportContext, topic: FoundTopic, directory: string) {
    const { files, logger, maxBytesPerFile } = context;
    this.#context = context;
    this.#topic = topic;
    this.#directory = directory;
    this.#log = new TopicLog(
      { files, cache: new SlabCache(CACHE_SIZE), logger, maxBytesPerFile },
      directory,
      new SegmentList(context.ids, []),
    );
    this.#channels = [...topic.channels.values()].map((channel) => ({
      channel,
      content: this.#contentOf(channel.queue),
      share: new ChannelShare(),
    }));
    this.#waiting = this.#contentOf(topic.queue);
  }

  /**
   * Reads, writes and syncs everything.
   * @param seal is called before the directory is synced, to add what is to be in it too
   */
  async run(seal: (report: TopicReport) => void): Promise<TopicReport> {
    await this.#appendUnion();
    const endOfUnion = this.#log.endN;
    await this.#appendWaiting();
    const { endN } = this.#log;
    const failure = await this.#log.close();
    if (failure) throw failure;
    this.#writeJournal(endOfUnion);
    const { name, paused } = this.#topic;
    const report: TopicReport = {
      name,
      paused,
      outcome: 'imported',
      messages: endN,
      bytes: this.#bytes,
      waiting: endN - endOfUnion,
      channels: this.#channels.map(({ channel, share }) => ({
        name: channel.name,
        paused: channel.paused,
        messages: share.size,
      })),
    };
    seal(report);
    this.#settle(endN);
    return report;
  }

  /** Lets go of the files. */
  abandon(): void {
    this.#log.abandon();
  }

  async #appendUnion(): Promise<void> {
    const filled = this.#channels.filter(({ content }) => content.parts.length > 0);
    if (filled.length === 0) return;
    const [only] = filled;
    // A queue alone needs no index, unless a message may be in it twice, or in the topic's own queue too.
    if (filled.length === 1 && only!.content.settled && this.#waiting.parts.length === 0) {
      const reader = this.#reader(only!.content, true);
      while (reader.next()) {
        only!.share.add(this.#log.nextN, reader.attempts);
        const pause = this.#append(reader);
        if (pause) await pause;
      }
      this.#checkDepth(only!.channel.queue, only!.content, reader.count);
      await this.#commit();
      return;
    }
    this.#index = new IdIndex();
    for (const [queue, { content }] of filled.entries()) {
      const reader = this.#reader(content, false);
      while (reader.next()) {
        this.#index.add(reader.idHi, reader.idLo, queue);
        const pause = this.#step();
        if (pause) await pause;
      }
    }
    const readers = filled.map(({ content }) => this.#reader(content, true));
    const merge = new QueueMerge(readers, this.#index, (queue, n, attempts) =>
      filled[queue]!.share.add(n, attempts),
    );
    for (let reader = merge.next(); reader; reader = merge.next()) {
      const pause = this.#append(reader);
      if (pause) await pause;
    }
    await this.#commit();
    for (const [queue, { channel, content, share }] of filled.entries()) {
      const { count } = readers[queue]!;
      this.#checkDepth(channel.queue, content, count);
      if (count > share.size) {
        this.#context.warn(
          `queue ${channel.queue.name}: ${count - share.size} messages are in it twice and were imported once`,
        );
      }
    }
  }

  async #appendWaiting(): Promise<void> {
    const { queue } = this.#topic;
    const reader = this.#reader(this.#waiting, true);
    let everywhere = 0;
    let somewhere = 0;
    while (reader.next()) {
      const slot = this.#index?.find(reader.idHi, reader.idLo) ?? -1;
      if (slot === -1) {
        const pause = this.#append(reader);
        if (pause) await pause;
        continue;
      }
      if (this.#index!.queuesOf(slot) === this.#channels.length) everywhere++;
      else {
        somewhere++;
        for (const { share } of this.#channels) share.addMissing(this.#index!.numberOf(slot));
      }
      const pause = this.#step();
      if (pause) await pause;
    }
    await this.#commit();
    this.#checkDepth(queue, this.#waiting, reader.count);
    if (everywhere > 0) {
      this.#context.warn(
        `queue ${queue.name}: ${everywhere} messages left out: every channel's queue has them already (nsqd was killed)`,
      );
    }
    if (somewhere > 0) {
      this.#context.warn(
        `queue ${queue.name}: ${somewhere} messages are in some channels' queues already (nsqd was killed): the other channels get them too, if they had finished them, again`,
      );
    }
  }

  #contentOf(queue: QueueFiles): QueueContent {
    const { files, dataPath, warn } = this.#context;
    const content = contentOf(files, dataPath, queue);
    for (const line of content.warnings) warn(line);
    return content;
  }

  #reader(content: QueueContent, report: boolean): QueueReader {
    const { files, maxMsgSize, warn } = this.#context;
    const window = Math.max(
      SMALLEST_WINDOW,
      Math.min(LARGEST_WINDOW, Math.floor(ALL_WINDOWS / Math.max(1, this.#channels.length))),
    );
    return new QueueReader(files, content.parts, {
      maxMsgSize,
      window,
      unreadable: ({ path, offset, bytes }) => {
        if (report) warn(`${bytes} bytes at ${offset} of ${path} are no messages and were left out`);
      },
    });
  }

  #checkDepth({ name }: QueueFiles, { depth, settled }: QueueContent, count: number): void {
    if (!settled || depth === -1 || depth === count) return;
    this.#context.warn(`queue ${name}: its position file says ${depth} messages, there are ${count}`);
  }

  /** Appends the reader's message; what it returns is to be waited for. */
  #append(reader: QueueReader): Promise<void> | undefined {
    this.#log.append(reader.stamp, reader.buf, reader.start, reader.end);
    this.#bytes += reader.end - reader.start;
    return this.#log.uncommitted >= COMMIT_SIZE ? this.#commit() : this.#step();
  }

  #commit(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#log.commit((error) => (error ? reject(error) : resolve()));
    });
  }

  /** Lets signals and timers have their turn now and then. */
  #step(): Promise<void> | undefined {
    if (++this.#steps % STRIDE !== 0) return undefined;
    return new Promise((resolve) => setImmediate(resolve));
  }

  #writeJournal(endOfUnion: number): void {
    const { files, logger } = this.#context;
    const describe = (into: EntryWriter): void => {
      into.topic(this.#topic.paused, endOfUnion, false);
      for (const [at, { channel, share }] of this.#channels.entries()) {
        share.describe(at + 1, channel.name, channel.paused, endOfUnion, into);
      }
    };
    const journal = new Journal(files, this.#directory, 0, logger, describe);
    journal.write();
    journal.close();
  }

  /** Makes sure that all is there and on stable storage. */
  #settle(endN: number): void {
    const { files, ids, logger } = this.#context;
    const found = openSegments(files, this.#directory, ids, logger).last?.endN ?? 0;
    if (found !== endN) {
      throw new BrokerError('E_STORAGE', `${this.#directory} ends at message ${found}, not at ${endN}`);
    }
    for (const name of files.readdirSync(this.#directory)) {
      const fd = files.openSync(join(this.#directory, name), 'r+');
      try {
        files.fdatasyncSync(fd);
      } finally {
        files.closeSync(fd);
      }
    }
    syncDirectory(files, this.#directory);
  }
}
