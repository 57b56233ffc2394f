import type { IdIndex } from './id-index.js';
import type { QueueReader } from './queue-reader.js';

const ENDED = -1;

/**
 * Merges the queues of a topic's channels into one order: each message once, as the queues have them one after the other.
 *
 *     archive  3 4 5 6
 *     billing  1 3 4 6 2     ->  1 3 4 5 6 2
 *
 * A message comes when it is the next one of every queue that has it; of several such, the oldest. Where the orders of two
 * queues contradict each other, as when one gave messages back, the oldest that is next in some queue comes.
 */
export class QueueMerge {
  readonly #readers: readonly QueueReader[];
  readonly #index: IdIndex;
  readonly #has: (queue: number, n: number, attempts: number) => void;
  /** The entry in the index of each queue's next message. */
  readonly #heads: Int32Array;
  #nextN = 0;
  #started = false;
  /** The entry of the message that was given out last. */
  #taken = ENDED;

  /**
   * @param index has the ids of all queues
   * @param has is told that a queue has message `n`, delivered `attempts` times
   */
  constructor(
    readers: readonly QueueReader[],
    index: IdIndex,
    has: (queue: number, n: number, attempts: number) => void,
  ) {
    this.#readers = readers;
    this.#index = index;
    this.#has = has;
    this.#heads = new Int32Array(readers.length);
  }

  /** The reader that stands at the next message, whose number is one more than the last one's, from 0; at the end none. */
  next(): QueueReader | undefined {
    for (let queue = 0; queue < this.#heads.length; queue++) {
      if (!this.#started || this.#heads[queue] === this.#taken) this.#advance(queue);
    }
    this.#started = true;
    const chosen = this.#choose(true) ?? this.#choose(false);
    if (chosen === undefined) return undefined;
    const slot = this.#heads[chosen]!;
    const n = this.#nextN++;
    this.#index.setNumber(slot, n);
    for (let queue = 0; queue < this.#heads.length; queue++) {
      if (this.#heads[queue] === slot) this.#has(queue, n, this.#readers[queue]!.attempts);
    }
    this.#taken = slot;
    return this.#readers[chosen];
  }

  /** Goes to the queue's next message that has not come yet. */
  #advance(queue: number): void {
    if (this.#started && this.#heads[queue] === ENDED) return;
    const reader = this.#readers[queue]!;
    while (reader.next()) {
      const slot = this.#index.find(reader.idHi, reader.idLo);
      const n = this.#index.numberOf(slot);
      if (n === -1) {
        this.#heads[queue] = slot;
        this.#index.arrive(slot);
        return;
      }
      this.#has(queue, n, reader.attempts);
    }
    this.#heads[queue] = ENDED;
  }

  /** The queue whose next message is the oldest, of those whose message is the next of all that have it, or of any. */
  #choose(ready: boolean): number | undefined {
    let chosen: number | undefined;
    for (let queue = 0; queue < this.#heads.length; queue++) {
      const slot = this.#heads[queue]!;
      if (slot === ENDED || (ready && !this.#index.isReady(slot))) continue;
      if (chosen === undefined || isOlder(this.#readers[queue]!, this.#readers[chosen]!)) chosen = queue;
    }
    return chosen;
  }
}

/** By time, then by id. */
function isOlder(a: QueueReader, b: QueueReader): boolean {
  return (a.stamp.hi - b.stamp.hi || a.stamp.lo - b.stamp.lo || a.idHi - b.idHi || a.idLo - b.idLo) < 0;
}
