import { setTimeout as delay } from 'node:timers/promises';
import { Backoff } from '../../net/backoff.js';
import { connectReason } from '../../net/connect-reason.js';
import type { LookupAnswer } from '../../protocol/lookup-answer.js';
import {
  encodeLookupIdentify,
  type LookupPeer as Identity,
  LOOKUP_PING,
} from '../../protocol/lookup-commands.js';
import type { Logger } from '../logger.js';
import { readIntroduction } from './introduction.js';
import { parseLookupdAddress } from './lookupd-address.js';
import { PeerConnection } from './peer-connection.js';
import { type RegisteredTopic, Registrations } from './registrations.js';

/** As nsqd. A lookupd lists a broker as long as it hears from it every few minutes. */
const PING_INTERVAL = 15_000;
const FIRST_DELAY = 100;
/** Short, so that a lookupd that is back knows everything within two seconds. */
const LONGEST_DELAY = 1000;
/** Commands that may be without an answer before the next ones wait. */
const MOST_DUE = 1000;
/** Longest time that a clean stop waits for a lookupd, ms. */
const CLOSE_TIMEOUT = 1000;

/** What a {@link LookupPeer} needs to know of its broker. */
export interface LookupPeerHost {
  readonly logger: Logger;
  readonly topics: ReadonlyMap<string, RegisteredTopic>;
  identity(): Identity;
  /** It is connected: told at first, and with every PING. */
  alive(peer: LookupPeer): void;
}

/**
 * One lookupd that the broker registers with: keeps a connection, and over each one brings the lookupd to know what is
 * so now.
 *
 *     connecting ─→ introducing ─→ up ─→ waiting ─→ connecting …          close: from anywhere, for good
 */
export class LookupPeer {
  /** As it was configured. */
  readonly address: string;
  readonly #host: LookupPeerHost;
  readonly #backoff = new Backoff(FIRST_DELAY, LONGEST_DELAY);
  #state: 'connecting' | 'introducing' | 'up' | 'waiting' | 'closed' = 'connecting';
  #connection: PeerConnection | undefined;
  #registrations = new Registrations();
  /** Topics of which it may know something else than is so. */
  readonly #changed = new Set<string>();
  #timer: NodeJS.Timeout | undefined;
  #upSince = 0;
  #lastDelay = 0;
  #httpAddress: string | undefined;
  /** Resolved when the first attempt has come to something. */
  #firstAttempt: (() => void) | undefined;
  readonly #attempted: Promise<void>;
  #closed: (() => void) | undefined;

  constructor(address: string, host: LookupPeerHost) {
    this.address = address;
    this.#host = host;
    this.#attempted = new Promise((resolve) => {
      this.#firstAttempt = resolve;
    });
    this.#connect();
  }

  /** Where it said that it answers HTTP, once the first attempt to reach it has succeeded or failed, or `ms` are over. */
  async httpAddress(ms: number): Promise<string | undefined> {
    const giveUp = new AbortController();
    const late = delay(ms, undefined, { signal: giveUp.signal }).catch(() => undefined);
    await Promise.race([this.#attempted, late]);
    giveUp.abort();
    return this.#httpAddress;
  }

  /** Something about the topic of this name is not as it was. */
  changed(name: string): void {
    if (this.#state === 'up') this.#changed.add(name);
  }

  /** Tells the lookupd what has changed. */
  flush(): void {
    const connection = this.#connection;
    if (this.#state !== 'up' || !connection) return;
    const commands: Buffer[] = [];
    for (const name of this.#changed) {
      if (connection.due + commands.length >= MOST_DUE) break;
      this.#changed.delete(name);
      commands.push(...this.#registrations.reconcile(name, this.#host.topics.get(name)));
    }
    for (const command of commands) this.#log('debug', command.toString('latin1').trim());
    connection.send(commands);
  }

  /** Withdraws what is registered, and disconnects. */
  async close(): Promise<void> {
    const state = this.#state;
    if (state === 'closed') return;
    this.#state = 'closed';
    clearTimeout(this.#timer);
    this.#firstAttempt?.();
    const connection = this.#connection;
    if (!connection) return;
    const ended = new Promise<void>((resolve) => {
      this.#closed = resolve;
    });
    if (state === 'up') {
      connection.send(
        [...this.#registrations.names].flatMap((name) => this.#registrations.reconcile(name, undefined)),
      );
      connection.end(CLOSE_TIMEOUT);
    } else {
      connection.destroy();
    }
    await ended;
  }

  #connect(): void {
    this.#state = 'connecting';
    this.#registrations = new Registrations();
    this.#changed.clear();
    this.#connection = new PeerConnection(parseLookupdAddress(this.address), {
      connected: () => this.#introduce(),
      answered: (answer) => this.#answered(answer),
      ended: (error) => this.#ended(error),
    });
  }

  #introduce(): void {
    if (this.#state !== 'connecting') return;
    this.#state = 'introducing';
    this.#connection?.send([encodeLookupIdentify(this.#host.identity())]);
  }

  #answered(answer: LookupAnswer): void {
    if (this.#state === 'closed') return;
    if (!answer.ok) {
      this.#connection?.destroy(new Error(answer.text));
      return;
    }
    if (this.#state === 'introducing') this.#introduced(answer.text);
    else if (this.#changed.size > 0) this.flush();
  }

  #introduced(text: string): void {
    const introduction = readIntroduction(text);
    if (!introduction) {
      this.#connection?.destroy(new Error(`answered IDENTIFY with ${JSON.stringify(text.slice(0, 100))}`));
      return;
    }
    this.#httpAddress = introduction.httpAddress;
    this.#log('info', `registering with version ${introduction.version}`);
    this.#state = 'up';
    this.#upSince = performance.now();
    for (const name of this.#host.topics.keys()) this.#changed.add(name);
    this.flush();
    this.#timer = setInterval(() => this.#ping(), PING_INTERVAL);
    this.#settle();
  }

  #ping(): void {
    this.#connection?.send([LOOKUP_PING]);
    this.#host.alive(this);
  }

  #ended(error: Error | undefined): void {
    this.#connection = undefined;
    clearInterval(this.#timer);
    this.#closed?.();
    if (this.#state === 'closed') return;
    if (this.#state === 'up' && performance.now() - this.#upSince >= this.#lastDelay) this.#backoff.reset();
    this.#lastDelay = this.#backoff.next();
    // One line for each outage; what the attempts come to meanwhile is for those who look closely.
    this.#log(
      this.#backoff.attempts === 1 ? 'warn' : 'debug',
      `${error ? connectReason(error) : 'disconnected'}; connecting again`,
    );
    this.#state = 'waiting';
    this.#timer = setTimeout(() => this.#connect(), this.#lastDelay);
    this.#settle();
  }

  /** The first attempt is over; whoever waits for that goes on, and so does what was missed while it was away. */
  #settle(): void {
    this.#firstAttempt?.();
    this.#firstAttempt = undefined;
    if (this.#state === 'up') this.#host.alive(this);
  }

  #log(level: 'debug' | 'info' | 'warn', words: string): void {
    this.#host.logger[level](`LOOKUPD(${this.address}): ${words}`);
  }
}
