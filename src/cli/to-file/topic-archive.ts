import type { Consumer, Message } from '../../client/index.js';
import type { Logger } from '../logger.js';
import type { MessageFormat } from '../tail/message-format.js';
import type { RotatingOutput } from './rotating-output.js';

export interface TopicArchiveOptions {
  readonly consumer: Consumer;
  readonly output: RotatingOutput;
  readonly format: MessageFormat;
  /** Longest time until messages are on disk and finished, ms. */
  readonly syncInterval: number;
  /** Open no file before there is a message. */
  readonly skipEmptyFiles: boolean;
  readonly logger: Logger;
  /** Before each log line. */
  readonly logPrefix: string;
}

/** Longest wait at the end for a slow disk, or for a broker that does not answer, ms: go-nsq's. */
const CLOSE_MS = 30_000;
const GIVE_BACK = { delay: 0, backoff: false };
/** About what a message costs on its way here, ms. */
const ARRIVAL_MS = 0.005;

/**
 * Writes a channel's messages to files, and finishes them once they are on disk:
 *
 *     consumer ─ #received ─ write ─ #written ─ sync: #syncing ─ FIN
 *
 * There is a sync with the interval, where a file ends, and when half of the messages that may be in flight are written,
 * while the other half comes; or all of them, where a sync takes longer than it takes them to come.
 */
export class TopicArchive {
  readonly consumer: Consumer;
  readonly #options: TopicArchiveOptions;
  readonly #failed: (error: unknown) => void;
  readonly #ticker: NodeJS.Timeout;
  #received: Message[] = [];
  #written: Message[] = [];
  #syncing: Message[] = [];
  #isTickDue = false;
  #isSyncDue = false;
  #isCloseDue = false;
  #isStopping = false;
  #hasFailed = false;
  /** Present while there is something to do, and while a sync goes on. */
  #work: Promise<void> | undefined;
  #sync: Promise<void> | undefined;
  /** How long the last sync took. */
  #syncMs = 0;

  /** @param failed is called once, when a file cannot be written: nothing more is taken or finished */
  constructor(options: TopicArchiveOptions, failed: (error: unknown) => void) {
    this.consumer = options.consumer;
    this.#options = options;
    this.#failed = failed;
    this.#ticker = setInterval(() => {
      this.#isTickDue = true;
      this.#start();
    }, options.syncInterval);
    void this.#receive();
  }

  /** Messages that are not finished. */
  get inFlight(): number {
    return this.#received.length + this.#written.length + this.#syncing.length;
  }

  /** Ends the file; the next message starts another one. */
  rotate(): void {
    this.#isCloseDue = true;
    this.#start();
  }

  /** Asks for no more messages, finishes those that the broker has sent, and ends the file. */
  async stop(): Promise<void> {
    clearInterval(this.#ticker);
    this.#isStopping = true;
    this.#isSyncDue = true;
    const closed = this.consumer.close({ timeout: CLOSE_MS, rest: 'handled' });
    this.#start();
    await closed;
    await this.#work;
    this.rotate();
    await this.#work;
    await this.#sync;
  }

  async #receive(): Promise<void> {
    for await (const message of this.consumer) {
      if (this.#hasFailed) {
        message.requeue(GIVE_BACK);
      } else {
        this.#received.push(message);
        if (this.#isStopping) this.#isSyncDue = true;
        this.#start();
      }
    }
  }

  #start(): void {
    if (this.#hasWork()) this.#work ??= this.#run();
  }

  async #run(): Promise<void> {
    try {
      while (this.#hasWork()) {
        // What comes with one read of the socket is written together.
        await new Promise(setImmediate);
        await this.#step();
      }
    } catch (error) {
      await this.#fail(error);
    } finally {
      this.#work = undefined;
    }
  }

  #hasWork(): boolean {
    if (this.#hasFailed) return false;
    const isDue = this.#isTickDue || this.#isSyncDue || this.#isCloseDue;
    return isDue || this.#received.length > 0 || this.#isSyncWorthwhile();
  }

  #isSyncWorthwhile(): boolean {
    const { length } = this.#written;
    if (length === 0 || this.#sync) return false;
    const { maxInFlight, isStarved } = this.consumer;
    return isStarved || (length * 2 >= maxInFlight && this.#syncMs < maxInFlight * ARRIVAL_MS);
  }

  async #step(): Promise<void> {
    if (this.#isTickDue) await this.#tick();
    if (this.#isCloseDue) await this.#close();
    while (this.#received.length > 0) await this.#write(this.#received.splice(0));
    if (this.#isSyncDue) await this.#finishWritten();
    else if (this.#isSyncWorthwhile()) this.#sync = this.#syncMeanwhile();
  }

  async #tick(): Promise<void> {
    const { output, skipEmptyFiles } = this.#options;
    this.#isTickDue = false;
    this.#isSyncDue = true;
    if (!output.needsRotation()) return;
    if (skipEmptyFiles) this.#isCloseDue = true;
    else await this.#rotate();
  }

  async #close(): Promise<void> {
    this.#isCloseDue = false;
    await this.#finishWritten();
    await this.#options.output.close();
  }

  /** The messages of the last file are finished with the first of the next one. */
  async #rotate(): Promise<void> {
    await this.#sync;
    await this.#options.output.rotate();
    this.#isSyncDue = true;
  }

  async #write(messages: readonly Message[]): Promise<void> {
    const { output, format } = this.#options;
    for (const message of messages) this.#written.push(message);
    for (let next = 0; next < messages.length; ) {
      if (output.needsRotation()) await this.#rotate();
      const parts: Buffer[] = [];
      let size = 0;
      for (const room = output.room; next < messages.length && size <= room; next++) {
        for (const part of format(messages[next]!)) {
          parts.push(part);
          size += part.length;
        }
      }
      await output.write(Buffer.concat(parts, size));
    }
  }

  /** One sync that is under way leaves out what was written since. */
  async #finishWritten(): Promise<void> {
    this.#isSyncDue = false;
    await this.#sync;
    await this.#syncWritten();
  }

  async #syncMeanwhile(): Promise<void> {
    try {
      await this.#syncWritten();
    } catch (error) {
      await this.#fail(error);
    }
    this.#sync = undefined;
    this.#start();
  }

  async #syncWritten(): Promise<void> {
    if (this.#written.length === 0) return;
    const { output, logger, logPrefix } = this.#options;
    const messages = this.#written;
    this.#syncing = messages;
    this.#written = [];
    const start = performance.now();
    await output.sync();
    this.#syncMs = performance.now() - start;
    this.#syncing = [];
    for (const message of messages) message.finish();
    logger.debug(`${logPrefix}synced ${messages.length} records to disk`);
  }

  async #fail(error: unknown): Promise<void> {
    if (this.#hasFailed) return;
    this.#hasFailed = true;
    clearInterval(this.#ticker);
    // First no more are taken, so that those given back do not come here again.
    this.consumer.pause();
    for (const messages of [this.#syncing, this.#written, this.#received])
      for (const message of messages.splice(0)) message.requeue(GIVE_BACK);
    await this.#options.output.abandon();
    this.#failed(error);
  }
}
