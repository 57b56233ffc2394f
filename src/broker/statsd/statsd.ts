import type { Socket } from 'node:dgram';
import type { Broker } from '../broker.js';
import { monotonic } from '../clock.js';
import { Deadline } from '../scheduler.js';
import { memoryStats } from '../stats/memory.js';
import { collectStats } from '../stats/stats.js';
import { keyPrefix } from './key-prefix.js';
import { Metrics } from './metrics.js';
import { packetsOf } from './packets.js';
import { Push } from './push.js';
import { Reachability } from './reachability.js';
import { parseStatsdAddress } from './statsd-address.js';
import { connectUdp, type Resolve } from './udp-connection.js';

/** The part of an interval that is left free of packets, ms. */
const REST = 1000;

/**
 * Pushes the broker's figures to a statsd daemon at every interval, the first time after the first one. Each push looks the
 * host name up anew and has a socket of its own, which stays open until the next one: an answer that nobody listens there
 * may come late. What is counted while there is no way to statsd goes with the next push.
 */
export class Statsd {
  readonly #broker: Broker;
  readonly #metrics: Metrics;
  readonly #reachability: Reachability;
  readonly #resolve: Resolve | undefined;
  readonly #deadline = new Deadline(() => this.#due());
  #dueAt = 0;
  #beginning = false;
  #push: Push | undefined;
  #closed = false;

  /** @param resolve in place of the system's way to look up names */
  constructor(broker: Broker, resolve?: Resolve) {
    const { settings, logger } = broker;
    this.#broker = broker;
    this.#resolve = resolve;
    this.#reachability = new Reachability(settings.statsdAddress, logger);
    this.#metrics = new Metrics(keyPrefix(broker.statsdPrefix), settings.statsdExcludeEphemeral);
  }

  start(): void {
    this.#dueAt = monotonic();
    this.#armNext();
  }

  /** Sends what is left of the push that is under way; as with nsqd, there is no other one. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#broker.scheduler.disarm(this.#deadline);
    await this.#push?.end();
  }

  /** The times of pushes are those of a clock that started with the broker; those that went by are left out. */
  #armNext(): void {
    const { statsdInterval: interval } = this.#broker.settings;
    const missed = Math.floor(Math.max(0, monotonic() - this.#dueAt) / interval);
    this.#dueAt += (missed + 1) * interval;
    this.#broker.scheduler.arm(this.#deadline, this.#dueAt);
  }

  #due(): void {
    this.#armNext();
    // One look-up at a time: it may hold one of the few threads that files need too.
    if (this.#beginning)
      return this.#reachability.failed(new Error('the last push has not got under way yet'));
    void this.#push?.end();
    if (this.#push) this.#reachability.ended();
    this.#push = undefined;
    void this.#begin();
  }

  async #begin(): Promise<void> {
    this.#beginning = true;
    let socket: Socket | undefined;
    try {
      socket = await this.#connect();
      const packets = this.#closed ? [] : await this.#packets();
      if (this.#closed) return void socket.close();
      this.#reachability.begun();
      this.#push = new Push(socket, packets, this.#dueAt - REST, this.#broker.scheduler, this.#onError);
      this.#push.start();
    } catch (error) {
      this.#push = undefined;
      socket?.close();
      this.#reachability.failed(error);
    } finally {
      this.#beginning = false;
    }
  }

  #connect(): Promise<Socket> {
    const { settings } = this.#broker;
    // The address was checked with the other settings.
    const address = parseStatsdAddress(settings.statsdAddress)!;
    return connectUdp(address, this.#reachability.failures, this.#onError, this.#resolve);
  }

  #packets(): Promise<Buffer[]> {
    const { statsdMemStats, statsdUdpPacketSize } = this.#broker.settings;
    const { topics } = collectStats(this.#broker, { topic: '', channel: '', clients: false });
    const lines = this.#metrics.lines(topics ?? [], statsdMemStats ? memoryStats() : undefined);
    return packetsOf(lines, statsdUdpPacketSize);
  }

  readonly #onError = (error: Error): void => this.#reachability.failed(error);
}
