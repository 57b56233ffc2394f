import { connect, type Socket } from 'node:net';
import { lookUp } from '../../net/names.js';
import { type LookupAnswer, LookupAnswerDecoder } from '../../protocol/lookup-answer.js';
import { LOOKUP_MAGIC } from '../../protocol/lookup-commands.js';
import type { LookupdAddress } from './lookupd-address.js';

/** Longest wait for a connection, ms: that of nsqd. */
const CONNECT_TIMEOUT = 1000;
/** Longest wait for the next answer while one is due, ms. */
const ANSWER_TIMEOUT = 5000;
/** Silence after which the system probes: a lookupd whose machine was started anew does not know the connection. */
const KEEP_ALIVE = 2000;

/** What a {@link PeerConnection} tells its owner. */
export interface PeerConnectionOwner {
  connected(): void;
  answered(answer: LookupAnswer): void;
  /** It is over, with what went wrong unless it was ended here. Called once. */
  ended(error: Error | undefined): void;
}

/** One connection to a lookupd: commands out, as many answers in, each in its time. */
export class PeerConnection {
  readonly #socket: Socket;
  readonly #owner: PeerConnectionOwner;
  readonly #decoder = new LookupAnswerDecoder();
  #due = 0;
  #error: Error | undefined;
  #timer: NodeJS.Timeout;
  /** Runs once it is being ended. */
  #endTimer: NodeJS.Timeout | undefined;

  constructor(address: LookupdAddress, owner: PeerConnectionOwner) {
    this.#owner = owner;
    // A name is resolved here, each time.
    this.#socket = connect({ ...address, lookup: lookUp, autoSelectFamily: true, noDelay: true });
    this.#socket.setKeepAlive(true, KEEP_ALIVE);
    this.#timer = this.#fuse(CONNECT_TIMEOUT, 'no connection');
    this.#socket.on('connect', () => {
      clearTimeout(this.#timer);
      this.#socket.write(LOOKUP_MAGIC);
      owner.connected();
    });
    this.#socket.on('data', (chunk) => this.#receive(chunk));
    this.#socket.on('error', (error) => {
      this.#error ??= error;
    });
    this.#socket.on('end', () => {
      this.#error ??= new Error('the lookupd closed the connection');
    });
    this.#socket.on('close', () => {
      clearTimeout(this.#timer);
      clearTimeout(this.#endTimer);
      owner.ended(this.#error);
    });
  }

  /** Commands without an answer yet. */
  get due(): number {
    return this.#due;
  }

  send(commands: readonly Buffer[]): void {
    if (commands.length === 0) return;
    if (this.#due === 0) this.#timer = this.#fuse(ANSWER_TIMEOUT, 'no answer');
    this.#due += commands.length;
    this.#socket.write(commands.length === 1 ? commands[0]! : Buffer.concat(commands));
  }

  /** Ends the connection when what was sent is answered, or after `ms`, whether or not the lookupd ends its side. */
  end(ms: number): void {
    this.#endTimer = setTimeout(() => this.#socket.destroy(), ms);
    if (this.#due === 0) this.#socket.destroySoon();
  }

  destroy(error?: Error): void {
    this.#error ??= error;
    this.#socket.destroy();
  }

  #receive(chunk: Buffer): void {
    let answers: LookupAnswer[];
    try {
      answers = this.#decoder.push(chunk);
    } catch (error) {
      this.destroy(error instanceof Error ? error : new Error(String(error)));
      return;
    }
    for (const answer of answers) {
      if (this.#due === 0) return this.destroy(new Error('an answer without a question'));
      this.#due--;
      if (this.#due === 0) clearTimeout(this.#timer);
      else this.#timer.refresh();
      this.#owner.answered(answer);
    }
    if (this.#endTimer && this.#due === 0) this.#socket.destroySoon();
  }

  #fuse(ms: number, what: string): NodeJS.Timeout {
    return setTimeout(() => this.destroy(new Error(`${what} within ${ms} ms`)), ms);
  }
}
