import { Consumer, type ConsumerOptions } from '../../client/index.js';
import type { SourceAddresses } from '../client-options.js';
import type { Logger } from '../logger.js';
import type { MessageFormat } from '../tail/message-format.js';
import { firstConnection, logConnections } from './connection-log.js';
import type { FileLayer } from './file-layer.js';
import { FileName, type FileNameOptions } from './file-name.js';
import { type OutputOptions, RotatingOutput } from './rotating-output.js';
import { TopicArchive } from './topic-archive.js';

export interface ArchiverOptions {
  readonly channel: string;
  readonly source: SourceAddresses;
  /** Of each topic. */
  readonly maxInFlight: number;
  readonly consumerOptions: Partial<ConsumerOptions>;
  readonly fileNames: FileNameOptions;
  readonly output: OutputOptions;
  readonly format: MessageFormat;
  /** Ms. */
  readonly syncInterval: number;
  readonly skipEmptyFiles: boolean;
  readonly files: FileLayer;
  /** Ms since 1970. */
  readonly now: () => number;
  readonly logger: Logger;
}

/** Writes topics to files, each with a consumer of its own. */
export class Archiver {
  /** Rejects when a file of some topic cannot be written. */
  readonly failed: Promise<never>;
  readonly #options: ArchiverOptions;
  readonly #archives = new Map<string, TopicArchive>();
  #fail: (error: unknown) => void = () => {};

  constructor(options: ArchiverOptions) {
    this.#options = options;
    this.failed = new Promise((_, reject) => {
      this.#fail = reject;
    });
    this.failed.catch(() => {});
  }

  get topics(): readonly string[] {
    return [...this.#archives.keys()];
  }

  /** Messages that are not finished. */
  get inFlight(): number {
    return [...this.#archives.values()].reduce((sum, { inFlight }) => sum + inFlight, 0);
  }

  /**
   * Starts with a topic. Resolves when it is subscribed to, on one of several nsqds; at once with lookupds, which may
   * answer later. Rejects when no nsqd can be reached; throws {@link UsageError} when its files cannot be named.
   */
  async add(topic: string): Promise<void> {
    const { channel, source, logger, output, files, now, ...options } = this.#options;
    const logPrefix = `[${topic}/${channel}] `;
    const name = new FileName(topic, options.fileNames);
    const consumer = new Consumer({
      // A message that came too often for others is written all the same.
      maxAttempts: 0,
      autoTouch: true,
      ...options.consumerOptions,
      maxInFlight: options.maxInFlight,
      topic,
      channel,
      ...source,
    });
    logConnections(consumer, logger, logPrefix);
    const archive = new TopicArchive(
      {
        consumer,
        output: new RotatingOutput(name, output, { files, logger, now, logPrefix }),
        format: options.format,
        syncInterval: options.syncInterval,
        skipEmptyFiles: options.skipEmptyFiles,
        logger,
        logPrefix,
      },
      (error) => this.#fail(error),
    );
    this.#archives.set(topic, archive);
    if (source.nsqdTcpAddresses !== undefined)
      await firstConnection(consumer, new Set([source.nsqdTcpAddresses].flat()).size);
  }

  /** Whether some nsqd with the topic is connected. */
  isConnected(topic: string): boolean {
    return (this.#archives.get(topic)?.consumer.stats().connections ?? 0) > 0;
  }

  /** Ends with a topic: its messages are finished, its file and its connections closed. */
  async remove(topic: string): Promise<void> {
    const archive = this.#archives.get(topic);
    this.#archives.delete(topic);
    await archive?.stop();
  }

  /** Ends the files; the next message of a topic starts another one. */
  rotate(): void {
    for (const archive of this.#archives.values()) archive.rotate();
  }

  async stop(): Promise<void> {
    await Promise.all(this.topics.map((topic) => this.remove(topic)));
  }
}
