import { chain, codeOf } from '../errors.js';
import type { Pacer } from './pacer.js';

/** What a publication needs of a producer. */
export interface Publisher {
  publish(topic: string, body: Buffer): Promise<void>;
  publishBatch(topic: string, bodies: readonly Buffer[]): Promise<void>;
  publishDeferred(topic: string, body: Buffer, delayMs: number): Promise<void>;
}

export interface PublicationOptions {
  readonly topic: string;
  /** By the nsqd, or the nsqds, that it publishes to: every message goes to each publisher. */
  readonly publishers: ReadonlyMap<string, Publisher>;
  /** Messages in one MPUB at most. */
  readonly batch: number;
  /** 0 for at once. */
  readonly deferMs: number;
  readonly pacer: Pacer;
  readonly signal: AbortSignal;
}

/** A message that a broker did not accept, or a run of them. */
export interface Refusal {
  /** Its number in the input, from 1. */
  readonly message: number;
  /** The number of the last one of a run: they failed together. */
  readonly last?: number;
  /** Of all of them. */
  readonly bytes: number;
  readonly nsqd: string;
  readonly code: string;
  readonly reason: string;
}

/** What became of the input. */
export interface Receipt {
  readonly topic: string;
  readonly nsqd: readonly string[];
  /** With `--any`. */
  readonly any?: boolean;
  /** Accepted: by every nsqd, or with `--any` by one. */
  readonly messages: number;
  readonly bytes: number;
  /** Empty records, which NSQ cannot carry. */
  readonly skipped: number;
  readonly notAccepted: number;
  /** Read and left, since a signal came while `--rate` held them back. */
  readonly unsent: number;
  /** The first of them that were refused, and the run at which publishing ended. */
  readonly refusals: readonly Refusal[];
}

const MAX_BATCH_BYTES = 1024 * 1024;
const MAX_REFUSALS = 100;
/** Codes that refuse what was sent, not the sender: the next message may be accepted. */
export const BODY_CODES: ReadonlySet<string> = new Set(['E_BAD_MESSAGE', 'E_BAD_BODY']);

interface Numbered {
  readonly number: number;
  readonly body: Buffer;
}

/**
 * Publishes a stream of bodies with bounded memory: they gather while a batch is under way and go as the next one, so
 * that a slow stream is not delayed and a fast one is sent in large MPUBs. One batch is under way at a time, which keeps
 * the order and leaves no doubt about what a broker refused.
 */
export class Publication {
  readonly #options: PublicationOptions;
  readonly #limit: number;
  readonly #refusals: Refusal[] = [];
  #waiting: Numbered[] = [];
  #waitingBytes = 0;
  #sending: Promise<void> | undefined;
  #failure: { readonly error: unknown } | undefined;
  #count = 0;
  #messages = 0;
  #bytes = 0;
  #skipped = 0;
  #notAccepted = 0;
  #unsent = 0;

  constructor(options: PublicationOptions) {
    this.#options = options;
    this.#limit = Math.min(options.batch, options.pacer.batchLimit);
  }

  /** Messages accepted by now. */
  get accepted(): number {
    return this.#messages;
  }

  /** Messages that are still sent when no more are taken. */
  get inFlight(): number {
    const heldBack = this.#options.pacer.isLimited ? this.#waiting.length : 0;
    return this.#count - this.#messages - this.#notAccepted - this.#unsent - heldBack;
  }

  get receipt(): Receipt {
    return {
      topic: this.#options.topic,
      nsqd: [...this.#options.publishers.keys()],
      messages: this.#messages,
      bytes: this.#bytes,
      skipped: this.#skipped,
      notAccepted: this.#notAccepted,
      unsent: this.#unsent,
      refusals: this.#refusals,
    };
  }

  /** Takes bodies; resolves when there is room for more. Rejects when no more can be published. */
  async add(bodies: readonly Buffer[]): Promise<void> {
    for (const body of bodies) {
      if (body.length === 0) {
        this.#skipped++;
        continue;
      }
      this.#waiting.push({ number: ++this.#count, body });
      this.#waitingBytes += body.length;
    }
    if (this.#waiting.length > 0) this.#sending ??= this.#send();
    while (this.#isFull) await this.#sending;
    this.#check();
  }

  /** Resolves when every body taken is accepted or refused. Rejects when the rest could not be published. */
  async finish(): Promise<void> {
    while (this.#sending) await this.#sending;
    this.#check();
  }

  get #isFull(): boolean {
    return this.#waiting.length >= this.#limit || this.#waitingBytes >= MAX_BATCH_BYTES;
  }

  #check(): void {
    if (this.#failure) throw this.#failure.error;
  }

  /** One batch after the other until nothing waits. Never rejects. */
  async #send(): Promise<void> {
    // The rest of this turn's bodies joins the first batch.
    await new Promise(setImmediate);
    const limit = Math.min(this.#waiting.length, this.#limit);
    if (!(await this.#options.pacer.take(limit, this.#options.signal))) {
      this.#unsent += this.#clear();
      this.#sending = undefined;
      return;
    }
    const batch = this.#takeBatch(limit);
    const addresses = [...this.#options.publishers.keys()];
    const outcomes = await Promise.allSettled(addresses.map((address) => this.#publish(address, batch)));
    const failures = outcomes.flatMap((outcome, index) =>
      outcome.status === 'rejected' ? [{ nsqd: addresses[index]!, error: outcome.reason }] : [],
    );
    if (failures.length > 0) this.#fail(batch, failures);
    else this.#settle(batch, new Set(outcomes.flatMap((one) => ('value' in one ? one.value : []))));
    this.#sending = this.#waiting.length > 0 ? this.#send() : undefined;
  }

  /** No more can be published: neither this batch nor what waits behind it. */
  #fail(batch: readonly Numbered[], failures: readonly { nsqd: string; error: unknown }[]): void {
    this.#failure ??= { error: failures[0]!.error };
    const left = [...batch, ...this.#waiting];
    const bytes = left.reduce((sum, { body }) => sum + body.length, 0);
    const range = { message: left[0]!.number, last: left.at(-1)!.number, bytes };
    for (const { nsqd, error } of failures) {
      const [cause] = [...chain(error)].filter((part) => codeOf(part) !== '');
      const reason = error instanceof Error ? error.message : String(error);
      this.#refusals.push({ ...range, nsqd, code: cause ? codeOf(cause) : '', reason });
    }
    this.#notAccepted += left.length;
    this.#clear();
  }

  /** Leaves what waits; returns how many that are. */
  #clear(): number {
    const { length } = this.#waiting;
    this.#waiting = [];
    this.#waitingBytes = 0;
    return length;
  }

  #takeBatch(limit: number): Numbered[] {
    let length = 0;
    let bytes = 0;
    while (length < limit) {
      bytes += this.#waiting[length]!.body.length;
      if (length > 0 && bytes > MAX_BATCH_BYTES) break;
      length++;
    }
    const batch = this.#waiting.splice(0, length);
    for (const { body } of batch) this.#waitingBytes -= body.length;
    return batch;
  }

  #settle(batch: readonly Numbered[], refused: ReadonlySet<number>): void {
    for (const { number, body } of batch) {
      if (refused.has(number)) continue;
      this.#messages++;
      this.#bytes += body.length;
    }
    this.#notAccepted += refused.size;
  }

  /** The numbers of the messages that this nsqd refused. Rejects when it takes none any more. */
  async #publish(address: string, batch: readonly Numbered[]): Promise<number[]> {
    const publisher = this.#options.publishers.get(address)!;
    const { topic, deferMs } = this.#options;
    if (deferMs === 0 && batch.length > 1) {
      try {
        await publisher.publishBatch(
          topic,
          batch.map(({ body }) => body),
        );
        return [];
      } catch (error) {
        if (bodyRefusal(error) === undefined) throw error;
        // An MPUB is kept whole or not at all: one by one, only the bad ones are refused.
      }
    }
    const refused: number[] = [];
    for (const { number, body } of batch) {
      try {
        await this.#publishOne(publisher, body);
      } catch (error) {
        const refusal = bodyRefusal(error);
        if (!refusal) throw error;
        refused.push(number);
        this.#note({ message: number, bytes: body.length, nsqd: address, ...refusal });
      }
    }
    return refused;
  }

  #publishOne(publisher: Publisher, body: Buffer): Promise<void> {
    const { topic, deferMs } = this.#options;
    return deferMs === 0 ? publisher.publish(topic, body) : publisher.publishDeferred(topic, body, deferMs);
  }

  #note(refusal: Refusal): void {
    if (this.#refusals.length < MAX_REFUSALS) this.#refusals.push(refusal);
  }
}

function bodyRefusal(error: unknown): Pick<Refusal, 'code' | 'reason'> | undefined {
  const refusal = [...chain(error)].find((part) => BODY_CODES.has(codeOf(part)));
  return refusal && { code: codeOf(refusal), reason: refusal.message };
}
