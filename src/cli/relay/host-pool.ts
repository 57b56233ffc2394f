import type { Choice, Now, Selection } from './selection.js';

/** Times of go-hostpool, ms. */
const FIRST_RETRY_DELAY = 30_000;
const MAX_RETRY_DELAY = 900_000;

/** A target and whether it is worth trying. */
export class Host<T> {
  readonly target: T;
  isDead = false;
  #retryDelay = FIRST_RETRY_DELAY;
  #retryAt = 0;

  constructor(target: T) {
    this.target = target;
  }

  canBeTried(now: number): boolean {
    return !this.isDead || this.#retryAt < now;
  }

  /** It was chosen: a dead one is then left alone for twice as long as before. */
  chosen(now: number): void {
    if (!this.isDead) return;
    this.#retryDelay = Math.min(2 * this.#retryDelay, MAX_RETRY_DELAY);
    this.#retryAt = now + this.#retryDelay;
  }

  died(now: number): void {
    if (this.isDead) return;
    this.isDead = true;
    this.#retryDelay = FIRST_RETRY_DELAY;
    this.#retryAt = now + FIRST_RETRY_DELAY;
  }
}

/**
 * go-hostpool's standard pool: the living in turn. One that failed is dead for 30 s, then tried with one message, and
 * left alone for twice as long each time it fails again, up to 15 minutes. When all are dead, all are alive again.
 */
export class HostPool<T> implements Selection<T> {
  protected readonly hosts: readonly Host<T>[];
  protected readonly now: Now;
  #turn = 0;

  /** @param targets at least one */
  constructor(targets: readonly T[], now: Now = () => performance.now()) {
    this.hosts = targets.map((target) => new Host(target));
    this.now = now;
  }

  next(): Choice<T> {
    return this.choice(this.nextInTurn());
  }

  protected nextInTurn(): Host<T> {
    const now = this.now();
    const { hosts } = this;
    for (let tried = 0; tried < hosts.length; tried++) {
      const index = (this.#turn + tried) % hosts.length;
      const host = hosts[index]!;
      if (!host.canBeTried(now)) continue;
      host.chosen(now);
      this.#turn = index + 1;
      return host;
    }
    for (const host of hosts) host.isDead = false;
    this.#turn = 0;
    return hosts[0]!;
  }

  protected choice(host: Host<T>): Choice<T> {
    return {
      target: host.target,
      succeeded: () => {
        host.isDead = false;
      },
      failed: () => host.died(this.now()),
    };
  }
}
