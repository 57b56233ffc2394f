import type { BackoffStrategy } from './options.js';
import { throwLater } from './throw-later.js';

/** What an answer says of how the work goes: go-nsq's resume, backoff and continue. */
export type Outcome = 'success' | 'failure' | 'neutral';

export interface BackoffSettings {
  readonly backoffStrategy: BackoffStrategy;
  readonly backoffMultiplier: number;
  readonly maxBackoffDuration: number;
}

/** A change of the backoff: everything stops for `delay` ms, or at level 0 goes on as before. */
export interface BackoffStep {
  readonly level: number;
  readonly delay: number;
}

/**
 * How far a consumer has slowed down, as go-nsq does it (consumer.go, startStopContinueBackoff): a failure raises the
 * level, a success lowers it, and each but the last success stops everything for a while, after which one message at a
 * time is let through. Answers that come while everything is stopped count for nothing.
 *
 *     open ─failure→ stopped ─passed()→ probing ─any answer→ stopped …       probing ─success at level 1→ open
 */
export class Backoff {
  readonly #settings: BackoffSettings;
  readonly #random: () => number;
  #level = 0;
  #isStopped = false;

  /** @param random gives numbers from 0 to below 1 */
  constructor(settings: BackoffSettings, random: () => number = Math.random) {
    this.#settings = settings;
    this.#random = random;
  }

  /** 0 = open. */
  get level(): number {
    return this.#level;
  }

  /** Nothing may come. */
  get isStopped(): boolean {
    return this.#isStopped;
  }

  /** One message at a time may come. */
  get isProbing(): boolean {
    return this.#level > 0 && !this.#isStopped;
  }

  /** Counts an answer; gives what follows from it, if anything does. */
  count(outcome: Outcome): BackoffStep | undefined {
    if (this.#isStopped) return undefined;
    if (outcome === 'failure') {
      if (this.#duration(this.#level + 1) <= this.#settings.maxBackoffDuration) this.#level++;
      if (this.#level === 0) return undefined;
    } else {
      if (this.#level === 0) return undefined;
      if (outcome === 'success') this.#level--;
      if (this.#level === 0) return { level: 0, delay: 0 };
    }
    this.#isStopped = true;
    const delay = Math.min(this.#duration(this.#level), this.#settings.maxBackoffDuration);
    return { level: this.#level, delay };
  }

  /** The delay has passed. */
  passed(): void {
    this.#isStopped = false;
  }

  #duration(level: number): number {
    const { backoffStrategy, backoffMultiplier } = this.#settings;
    if (typeof backoffStrategy === 'function') {
      return durationBy(backoffStrategy, level);
    }
    if (backoffMultiplier === 0) return 0;
    const whole = backoffMultiplier * 2 ** level;
    return backoffStrategy === 'full_jitter' ? whole * this.#random() : whole;
  }
}

function durationBy(strategy: (level: number) => number, level: number): number {
  try {
    const duration = strategy(level);
    return duration > 0 ? duration : 0;
  } catch (error) {
    throwLater(error);
    return 0;
  }
}
