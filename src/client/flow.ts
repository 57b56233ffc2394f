import { Backoff, type BackoffSettings, type Outcome } from './backoff.js';
import { RdyBudget, type RdyPeer } from './rdy.js';
import { ReadClock } from './read-clock.js';

/** How long a broker may take to act on RDY, over the round trip, ms. */
const ALLOWANCE = 25;
/** nsqd's own `--output-buffer-timeout`, ms. */
const DEFAULT_GATHER = 250;

export interface FlowSettings extends BackoffSettings {
  readonly maxInFlight: number;
  readonly lowRdyIdleTimeout: number;
  readonly lowRdyTimeout: number;
  readonly rdyRedistributeInterval: number;
}

/** What a {@link Flow} needs from its consumer. */
export interface FlowHost {
  /** Connections about to come, for which a share is kept. */
  coming(): number;
  /** All connections are at RDY 0 for `delay` ms; at level 0 the backoff is over. */
  backoff(level: number, delay: number): void;
}

/** A connection as the flow sees it. */
export interface FlowPeer extends RdyPeer {
  sendRdy(count: number): void;
}

/** How much may come from where: max-in-flight spread over connections, less while paused or backing off. */
export class Flow<Peer extends FlowPeer> {
  readonly #host: FlowHost;
  readonly #redistributeInterval: number;
  readonly #budget: RdyBudget<Peer>;
  readonly #backoff: Backoff;
  readonly #readClock = new ReadClock();
  #maxInFlight: number;
  #isPaused = false;
  #isStopped = false;
  /** Waits for a connection to settle, or for the next look at who holds RDY. */
  #replanTimer: NodeJS.Timeout | undefined;
  #replanScheduled = false;
  #backoffTimer: NodeJS.Timeout | undefined;

  constructor(settings: FlowSettings, outputBufferTimeout: number, host: FlowHost) {
    this.#host = host;
    this.#maxInFlight = settings.maxInFlight;
    this.#redistributeInterval = settings.rdyRedistributeInterval;
    this.#backoff = new Backoff(settings);
    this.#budget = new RdyBudget({
      idle: settings.lowRdyIdleTimeout,
      hold: settings.lowRdyTimeout,
      gather: outputBufferTimeout > 0 ? outputBufferTimeout : DEFAULT_GATHER,
      allowance: ALLOWANCE,
    });
  }

  get maxInFlight(): number {
    return this.#maxInFlight;
  }

  set maxInFlight(count: number) {
    this.#maxInFlight = count;
    this.replan();
  }

  get isPaused(): boolean {
    return this.#isPaused;
  }

  set isPaused(isPaused: boolean) {
    this.#isPaused = isPaused;
    this.replan();
  }

  get backoffLevel(): number {
    return this.#backoff.level;
  }

  get connections(): readonly Peer[] {
    return [...this.#budget.peers];
  }

  add(peer: Peer): void {
    this.#budget.add(peer);
    this.replan();
  }

  delete(peer: Peer): void {
    this.#budget.delete(peer);
    this.replan();
  }

  /** A message has been answered, or (without an outcome) was taken back by its broker. */
  answered(outcome?: Outcome): void {
    if (outcome === 'failure' || (outcome !== undefined && this.#backoff.level > 0)) this.#count(outcome);
    if (this.#budget.isShort) this.#scheduleReplan();
  }

  /** No more changes: what is left is up to each connection. */
  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#replanTimer);
    clearTimeout(this.#backoffTimer);
  }

  /** Sends each connection the RDY that it is to have now. */
  replan(): void {
    clearTimeout(this.#replanTimer);
    if (this.#isStopped) return;
    const now = performance.now();
    const limit = this.#isPaused || this.#backoff.isStopped ? 0 : this.#maxInFlight;
    const isProbe = this.#backoff.isProbing;
    const expected = this.#budget.size + this.#host.coming();
    const changes = this.#budget.plan(limit, expected, now, isProbe, this.#readClock.time);
    for (const { peer, rdy } of changes) peer.sendRdy(rdy);

    const holders = isProbe ? Math.min(1, limit) : limit;
    const settling = this.#budget.nextSettling;
    if (settling !== undefined) this.#replanSettled(settling - now);
    else if (holders > 0 && this.#budget.size > holders) this.#replanAfter(this.#redistributeInterval);
  }

  /** When a connection has settled, in `ms` ms, and what it sent before is here. */
  #replanSettled(ms: number): void {
    const look = (): void => this.#readClock.advance(() => this.replan());
    if (ms > 0) this.#replanTimer = setTimeout(look, Math.ceil(ms)).unref();
    else look();
  }

  #replanAfter(ms: number): void {
    this.#replanTimer = setTimeout(() => this.replan(), Math.ceil(ms)).unref();
  }

  /** One look at who gets which RDY per turn, however many messages are answered in it. */
  #scheduleReplan(): void {
    if (this.#replanScheduled) return;
    this.#replanScheduled = true;
    setImmediate(() => {
      this.#replanScheduled = false;
      this.replan();
    });
  }

  #count(outcome: Outcome): void {
    if (this.#isStopped) return;
    const step = this.#backoff.count(outcome);
    if (!step) return;
    if (step.level > 0) {
      this.#backoffTimer = setTimeout(() => {
        this.#backoff.passed();
        this.replan();
      }, Math.ceil(step.delay)).unref();
    }
    this.replan();
    this.#host.backoff(step.level, step.delay);
  }
}
