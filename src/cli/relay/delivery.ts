import { DeliveryError } from './delivery-error.js';
import { EpsilonGreedyPool } from './epsilon-greedy-pool.js';
import { HostPool } from './host-pool.js';
import { LatencyReport } from './latency-report.js';
import { OutageReport } from './outage-report.js';
import { RoundRobin, type Selection } from './selection.js';

/** Somewhere messages go to. */
export interface Target<Payload> {
  /** What it is called in lines for people. */
  readonly name: string;
  /** Resolves when the target has the message. Rejects with {@link DeliveryError}. */
  send(payload: Payload): Promise<void>;
}

/** Which target gets a message; `multicast`: every one. */
export type DeliveryMode = 'hostpool' | 'round-robin' | 'epsilon-greedy' | 'multicast';

export interface DeliveryOptions {
  readonly mode: DeliveryMode;
  /** Messages from one line with times to the next; 0 for none. */
  readonly statusEvery: number;
  readonly say: (line: string) => void;
}

/** A target with what is said about it. */
interface Watched<Payload> {
  readonly target: Target<Payload>;
  readonly latency: LatencyReport;
  readonly outage: OutageReport;
}

/**
 * Brings messages to targets. A pool's target that cannot be reached is passed over at once: the others, each once, are
 * tried before a message is given back.
 */
export class Delivery<Payload> {
  readonly #targets: readonly Watched<Payload>[];
  /** None for `multicast`. */
  readonly #selection: Selection<Watched<Payload>> | undefined;
  /** Targets that one message may be tried at. */
  readonly #tries: number;
  readonly #latency: LatencyReport;

  /** @param targets at least one */
  constructor(targets: readonly Target<Payload>[], { mode, statusEvery, say }: DeliveryOptions) {
    const every = targets.length === 1 ? 0 : statusEvery;
    this.#targets = targets.map((target) => ({
      target,
      latency: new LatencyReport(target.name, every, say),
      outage: new OutageReport(target.name, say),
    }));
    this.#latency = new LatencyReport('aggregate', statusEvery, say);
    this.#selection = selectionOf(mode, this.#targets);
    this.#tries = mode === 'round-robin' ? 1 : targets.length;
  }

  /** Resolves when the message has arrived. Rejects with {@link DeliveryError}. */
  async deliver(payload: Payload): Promise<void> {
    const start = performance.now();
    if (this.#selection === undefined) await this.#deliverToAll(payload);
    else await this.#deliverToOne(payload, this.#selection);
    this.#latency.add(performance.now() - start);
  }

  /** One after the other, and none behind one that fails: as the original, which then starts anew with the message. */
  async #deliverToAll(payload: Payload): Promise<void> {
    for (const watched of this.#targets) await this.#send(watched, payload);
  }

  async #deliverToOne(payload: Payload, selection: Selection<Watched<Payload>>): Promise<void> {
    const tried = new Set<Watched<Payload>>();
    let last: unknown;
    while (tried.size < this.#tries) {
      const choice = selection.next();
      const { target: watched } = choice;
      if (tried.has(watched)) break;
      tried.add(watched);
      try {
        await this.#send(watched, payload);
        choice.succeeded();
        return;
      } catch (error) {
        last = error;
        const failure = error instanceof DeliveryError ? error : undefined;
        if (failure?.aboutMessage) choice.succeeded();
        else choice.failed();
        if (!failure?.isUnsent) break;
      }
    }
    throw last;
  }

  async #send({ target, latency, outage }: Watched<Payload>, payload: Payload): Promise<void> {
    const start = performance.now();
    try {
      await target.send(payload);
    } catch (error) {
      if (error instanceof DeliveryError) outage.failed(error);
      throw error;
    }
    outage.succeeded();
    latency.add(performance.now() - start);
  }
}

function selectionOf<T>(mode: DeliveryMode, targets: readonly T[]): Selection<T> | undefined {
  if (mode === 'multicast') return undefined;
  if (mode === 'round-robin') return new RoundRobin(targets);
  return mode === 'hostpool' ? new HostPool(targets) : new EpsilonGreedyPool(targets);
}
