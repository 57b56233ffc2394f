import type { Socket } from 'node:dgram';
import { monotonic } from '../clock.js';
import { Deadline, type Scheduler } from '../scheduler.js';

/** Longest wait for packets that the system has not taken yet when a push ends, ms. */
const CLOSE_TIMEOUT = 1000;

/** One push's packets on their way: the first at once, the others evenly over a time. */
export class Push {
  readonly #socket: Socket;
  readonly #packets: readonly Buffer[];
  readonly #scheduler: Scheduler;
  readonly #onError: (error: Error) => void;
  readonly #deadline = new Deadline(() => this.#sendDue());
  readonly #startedAt = monotonic();
  readonly #step: number;
  #sent = 0;
  #underWay = 0;
  #drained: (() => void) | undefined;

  /** @param until when it is over, on the monotonic clock; at once if that is past */
  constructor(
    socket: Socket,
    packets: readonly Buffer[],
    until: number,
    scheduler: Scheduler,
    onError: (error: Error) => void,
  ) {
    this.#socket = socket;
    this.#packets = packets;
    this.#step = Math.max(0, until - this.#startedAt) / packets.length;
    this.#scheduler = scheduler;
    this.#onError = onError;
  }

  start(): void {
    this.#sendDue();
  }

  /** Sends at once what is left, and closes the socket when the system has taken it. */
  async end(): Promise<void> {
    this.#scheduler.disarm(this.#deadline);
    while (this.#sent < this.#packets.length) this.#sendNext();
    if (this.#underWay > 0) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, CLOSE_TIMEOUT);
        this.#drained = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    this.#socket.close();
  }

  #sendDue(): void {
    const now = monotonic();
    while (this.#sent < this.#packets.length && this.#nextAt() <= now) this.#sendNext();
    if (this.#sent < this.#packets.length) this.#scheduler.arm(this.#deadline, this.#nextAt());
  }

  #nextAt(): number {
    return this.#startedAt + this.#sent * this.#step;
  }

  #sendNext(): void {
    const packet = this.#packets[this.#sent++]!;
    this.#underWay++;
    this.#socket.send(packet, (error) => {
      if (error) this.#onError(error);
      if (--this.#underWay === 0) this.#drained?.();
    });
  }
}
