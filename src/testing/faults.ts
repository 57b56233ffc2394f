import type { SentCommand } from './command-reader.js';

export interface PublishFault {
  /** Only publishes to this topic. Default: every topic. */
  readonly topic?: string | undefined;
  /** The broker's answer. Default `E_PUB_FAILED`, for a batch `E_MPUB_FAILED`, for a deferred one `E_DPUB_FAILED`. */
  readonly code?: string | undefined;
  /**
   * In place of an answer, the connection is dropped: `before` the broker has the message, or `after`. A producer cannot
   * tell them apart: that is what `mayHaveArrived` means. Default: an answer.
   */
  readonly disconnect?: 'before' | 'after' | undefined;
}

export interface FinishFault {
  /** Only messages of this topic. Default: every topic. */
  readonly topic?: string | undefined;
  /** Only messages of this channel. Default: every channel. */
  readonly channel?: string | undefined;
}

interface Counted<Fault> {
  readonly fault: Fault;
  left: number;
}

/** What is to go wrong: each fault so many times, in the order they were asked for. */
export class Faults {
  readonly #publishes: Counted<PublishFault>[] = [];
  readonly #finishes: Counted<FinishFault>[] = [];

  failPublishes(count: number, fault: PublishFault): void {
    const { disconnect } = fault;
    if (disconnect !== undefined && disconnect !== 'before' && disconnect !== 'after')
      throw new RangeError(`disconnect must be 'before' or 'after', not ${String(disconnect)}`);
    this.#publishes.push({ fault, left: checkCount(count) });
  }

  failFinishes(count: number, fault: FinishFault): void {
    this.#finishes.push({ fault, left: checkCount(count) });
  }

  /** The fault that this PUB, MPUB or DPUB meets; it counts as met. */
  ofPublish({ params }: SentCommand): PublishFault | undefined {
    return take(this.#publishes, ({ topic }) => topic === undefined || topic === params[0]);
  }

  /** The fault that a FIN for that channel meets; it counts as met. */
  ofFinish(topic: string | undefined, channel: string | undefined): FinishFault | undefined {
    return take(
      this.#finishes,
      (fault) =>
        (fault.topic === undefined || fault.topic === topic) &&
        (fault.channel === undefined || fault.channel === channel),
    );
  }
}

function take<Fault>(faults: Counted<Fault>[], meets: (fault: Fault) => boolean): Fault | undefined {
  const met = faults.find(({ fault, left }) => left > 0 && meets(fault));
  if (met) met.left--;
  return met?.fault;
}

function checkCount(count: number): number {
  if (Number.isSafeInteger(count) && count >= 0) return count;
  throw new RangeError(`count must be a whole number from 0 up, not ${String(count)}`);
}
