import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { type CleanupScope, cleanup } from './temp.js';
import { type Framing, type RawFrame, type RawMessage, takeFrames } from './wire.js';

export interface RawClientOptions {
  /** What is sent first; default two blanks and `V2`; '' for nothing. */
  readonly magic?: string;
  readonly framing?: Framing;
  /** Answer each heartbeat with NOP; default false. */
  readonly answerHeartbeats?: boolean;
  /** When the connection is closed at the latest; default 'auto'. */
  readonly scope?: CleanupScope;
}

export interface Collected {
  readonly frames: RawFrame[];
  /** Whether the daemon had closed the connection. */
  readonly closed: boolean;
}

const PATIENCE_MS = 5000;

/**
 * A scripted peer of a daemon over TCP: sends any bytes, hands out the frames that come, one `next()` at a time.
 * Heartbeats are counted and left out of the frames.
 */
export class RawClient {
  /** Every message received, taken or not, in the order of arrival. */
  readonly messages: RawMessage[] = [];
  heartbeats = 0;
  /** The daemon closed the connection, or it broke. */
  closed = false;

  readonly #socket: Socket;
  readonly #framing: Framing;
  readonly #answerHeartbeats: boolean;
  readonly #queue: RawFrame[] = [];
  readonly #watchers = new Set<() => void>();
  #rest: Buffer = Buffer.alloc(0);
  #broken: Error | undefined;

  private constructor(socket: Socket, options: RawClientOptions) {
    this.#socket = socket;
    this.#framing = options.framing ?? 'typed';
    this.#answerHeartbeats = options.answerHeartbeats ?? false;
    socket.setNoDelay(true);
    socket.on('data', (chunk) => this.#receive(chunk));
    socket.on('error', () => this.#end());
    socket.on('close', () => this.#end());
  }

  /** Connects to `host:port` or a unix socket path and sends the magic; closes by itself with the test. */
  static async connect(address: string, options: RawClientOptions = {}): Promise<RawClient> {
    const colon = address.lastIndexOf(':');
    const socket = address.includes('/')
      ? connect(address)
      : connect(Number(address.slice(colon + 1)), address.slice(0, colon).replace(/^\[|\]$/g, ''));
    await once(socket, 'connect');
    const client = new RawClient(socket, options);
    cleanup(() => client.close(), options.scope);
    client.send(options.magic ?? '  V2');
    return client;
  }

  /** Sends the parts as one write; strings are latin1. */
  send(...parts: readonly (Buffer | string)[]): void {
    const bytes = Buffer.concat(
      parts.map((part) => (typeof part === 'string' ? Buffer.from(part, 'latin1') : part)),
    );
    if (bytes.length > 0 && this.#socket.writable) this.#socket.write(bytes);
  }

  /** Takes the next frame; rejects when the connection ends or `patienceMs` (default 5 s) passes first. */
  async next(patienceMs = PATIENCE_MS): Promise<RawFrame> {
    const arrived = await this.#watch(() => this.#queue.length > 0 || this.closed, patienceMs);
    const frame = this.#queue.shift();
    if (frame !== undefined) return frame;
    throw (
      this.#broken ??
      new Error(arrived ? 'the connection ended, no frame came' : `no frame for ${patienceMs} ms`)
    );
  }

  /** Takes the next frame, which must be a message. */
  async nextMessage(patienceMs = PATIENCE_MS): Promise<RawMessage> {
    const frame = await this.next(patienceMs);
    if (frame.type !== 'message') throw new Error(`not a message but ${frame.type} ${frame.text}`);
    return frame;
  }

  /** Sends the parts and takes the response; an error frame rejects with its text. */
  async request(...parts: readonly (Buffer | string)[]): Promise<string> {
    this.send(...parts);
    const frame = await this.next();
    if (frame.type !== 'response')
      throw new Error(frame.type === 'error' ? frame.text : 'a message, not a response');
    return frame.text;
  }

  /** Resolves when the daemon has closed the connection; rejects after `patienceMs`. */
  async ended(patienceMs = PATIENCE_MS): Promise<void> {
    if (!(await this.#watch(() => this.closed, patienceMs)))
      throw new Error(`still open after ${patienceMs} ms`);
  }

  /** Takes all that comes until nothing came for `quietMs`, or the connection ended. */
  async collectQuiet(quietMs: number): Promise<Collected> {
    let seen = -1;
    while (!this.closed && seen !== this.#received) {
      seen = this.#received;
      await this.#watch(() => this.closed || this.#received !== seen, quietMs);
    }
    return this.#take();
  }

  /** Takes all that comes within `ms`, or until the connection ended. */
  async collectFor(ms: number): Promise<Collected> {
    await this.#watch(() => this.closed, ms);
    return this.#take();
  }

  /** Waits until `count` frames or more can be taken, the connection ended, or `patienceMs` passed. */
  async arrival(count: number, patienceMs: number): Promise<void> {
    await this.#watch(() => this.closed || this.#queue.length >= count, patienceMs);
  }

  close(): void {
    this.#socket.destroy();
  }

  #received = 0;

  #take(): Collected {
    if (this.#broken) throw this.#broken;
    return { frames: this.#queue.splice(0), closed: this.closed };
  }

  #receive(chunk: Buffer): void {
    this.#received += 1;
    try {
      const { frames, rest } = takeFrames(Buffer.concat([this.#rest, chunk]), this.#framing);
      this.#rest = rest;
      for (const frame of frames) this.#accept(frame);
    } catch (error) {
      this.#broken = error as Error;
      this.#end();
    }
    this.#wake();
  }

  #accept(frame: RawFrame): void {
    if (frame.type === 'response' && frame.text === '_heartbeat_') {
      this.heartbeats += 1;
      if (this.#answerHeartbeats) this.send('NOP\n');
      return;
    }
    if (frame.type === 'message') this.messages.push(frame);
    this.#queue.push(frame);
  }

  #end(): void {
    this.closed = true;
    this.#wake();
  }

  #wake(): void {
    for (const watcher of this.#watchers) watcher();
  }

  /** Resolves true once `done()` holds, false after `ms`. */
  #watch(done: () => boolean, ms: number): Promise<boolean> {
    if (done()) return Promise.resolve(true);
    return new Promise((resolve) => {
      const settle = (): void => {
        clearTimeout(timer);
        this.#watchers.delete(check);
        resolve(done());
      };
      const check = (): void => {
        if (done()) settle();
      };
      // A late timer may run before bytes that are there already: the poll phase goes first.
      const timer = setTimeout(() => setImmediate(settle), ms);
      this.#watchers.add(check);
    });
  }
}
