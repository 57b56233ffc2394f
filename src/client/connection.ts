import type { Duplex } from 'node:stream';
import { isCodecError } from '../net/layer.js';
import { tlsReason } from '../net/tls-reason.js';
import { encodeAuth, FIN_SIZE, NOP, writeFin } from '../protocol/commands.js';
import { FrameType } from '../protocol/frame.js';
import { FrameDecoder, FrameError } from '../protocol/frame-decoder.js';
import { MessageError } from '../protocol/message-decoder.js';
import { type Address, parseLocalAddress } from './address.js';
import { dial } from './dial.js';
import { BrokerError, ConnectionError } from './errors.js';
import { Fifo } from './fifo.js';
import { type Handshake, shakeHands } from './handshake.js';
import type { Negotiated } from './identify.js';
import type { ConnectionSettings } from './options.js';
import { Outbox } from './outbox.js';
import { ReadBuffer } from './read-buffer.js';
import { ReadWatch } from './read-watch.js';
import { WriteWatch } from './write-watch.js';

/** Longest wait for the peer to end its side of a connection closed from here, ms. */
const CLOSE_GRACE = 1000;
/** With these, the broker has surely not kept what it refused; it may have with another one, or one unknown here. */
const CERTAIN = /^E_(?:INVALID|BAD_\w+|AUTH_\w+|UNAUTHORIZED)$/;

/** A command that waits for its answer; exactly one of the two is called, once. */
export interface Request {
  /** The answer's data are `bytes[start, end)`. */
  answered(bytes: Buffer, start: number, end: number): void;
  /** @param mayHaveArrived false: the broker has surely not acted on the command */
  failed(error: BrokerError | ConnectionError, mayHaveArrived: boolean): void;
}

/** What a connection tells its owner. */
export interface ConnectionOwner {
  /** Messages are of no interest to it; so all that comes may be read into one buffer. */
  readonly ignoresMessages?: true;
  /** A message frame: its data are `bytes[start, end)`. */
  message(bytes: Buffer, start: number, end: number): void;
  /** The broker refused a command without an answer of its own (FIN, REQ, TOUCH); the connection goes on. */
  refused(error: BrokerError): void;
  /** What could not be written before has been. */
  drained(): void;
  /** The connection is over, once; its requests have failed before. `E_CLOSED` when this side ended it. */
  closed(error: BrokerError | ConnectionError): void;
}

/**
 * One connection to an nsqd: handshake, frames in, commands out, answers matched to requests in their order, a NOP for
 * every heartbeat. What is sent within a turn of the event loop goes out in one write.
 *
 *     request ─┐                                        ┌─ message  → owner
 *     send    ─┼─ outbox ─(turn's end)─ stream ─ frames ┼─ response → the oldest request; heartbeat → NOP
 *     sendFin ─┘                                        └─ error    → owner, or the oldest request and the end
 */
export class Connection {
  readonly address: string;
  /** How long the handshake took: at most so long from this side to the broker and back, ms. */
  readonly roundTrip: number;
  readonly #owner: ConnectionOwner;
  readonly #settings: ConnectionSettings;
  readonly #stream: Duplex;
  readonly #decoder: FrameDecoder;
  readonly #outbox = new Outbox();
  readonly #requests = new Fifo<Request>();
  /** Of the requests, the newest ones whose bytes, or the last of them, are in the outbox still. */
  #unsent = 0;
  #flushScheduled = false;
  /** Nothing is written now: see {@link requestHeld}. */
  #holding: NodeJS.Timeout | undefined;
  #congested = false;
  #closing = false;
  #end: BrokerError | ConnectionError | undefined;
  readonly #negotiated: Negotiated;
  #receivedAt = 0;
  readonly #readWatch: ReadWatch;
  readonly #writeWatch: WriteWatch;

  private constructor(
    address: string,
    roundTrip: number,
    { stream, negotiated }: Handshake,
    settings: ConnectionSettings,
    owner: ConnectionOwner,
  ) {
    this.address = address;
    this.roundTrip = roundTrip;
    this.#stream = stream;
    this.#negotiated = negotiated;
    this.#settings = settings;
    this.#owner = owner;
    this.#decoder = new FrameDecoder({ maxFrameSize: settings.maxFrameSize });
    const { readTimeout } = settings;
    this.#readWatch = new ReadWatch(readTimeout, () => {
      const words = `nothing received for ${readTimeout} ms`;
      this.#finish(new ConnectionError('E_DEAD_PEER', this.address, words));
    });
    this.#writeWatch = new WriteWatch(stream, settings.writeTimeout, () =>
      this.#lose(`the broker took nothing for ${settings.writeTimeout} ms`),
    );
    stream.on('data', this.#onData);
    stream.on('drain', this.#onDrain);
    stream.on('end', () => this.#lose('the broker closed the connection'));
    stream.on('error', this.#onStreamError);
    stream.on('close', () => this.#lose('the connection closed'));
    if (stream.destroyed) this.#lose('the connection closed');
    stream.resume();
  }

  /**
   * Connects, shakes hands, and does what else the owner needs first: `setUp`. An aborted `signal` ends the attempt.
   * @throws ConnectionError when no nsqd is reached, BrokerError when it refuses a step
   */
  static async open(
    address: Address,
    settings: ConnectionSettings,
    owner: ConnectionOwner,
    signal: AbortSignal,
    setUp: (connection: Connection) => Promise<void>,
  ): Promise<Connection> {
    const local = parseLocalAddress(settings.localAddress);
    const readBuffer = owner.ignoresMessages ? new ReadBuffer() : undefined;
    const socket = await dial(address, settings.connectTimeout, signal, local, readBuffer?.onread);
    const connectedAt = performance.now();
    const handshake = await shakeHands(socket, address, settings, signal);
    const roundTrip = performance.now() - connectedAt;
    const connection = new Connection(address.text, roundTrip, handshake, settings, owner);
    if (handshake.stream === socket) readBuffer?.handTo(connection.#onData);
    const onAbort = (): void => connection.destroy();
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      await connection.#authorize();
      await setUp(connection);
    } catch (error) {
      connection.destroy();
      throw error;
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
    return connection;
  }

  get negotiated(): Negotiated {
    return this.#negotiated;
  }

  get isClosed(): boolean {
    return this.#end !== undefined;
  }

  /** Why the connection is over, once it is. */
  get end(): BrokerError | ConnectionError | undefined {
    return this.#end;
  }

  /** When bytes last came: `performance.now()`, in whole ms. */
  get receivedAt(): number {
    return this.#receivedAt;
  }

  /** Whether more can be sent without piling up. */
  get isWritable(): boolean {
    return !this.isClosed && !this.#congested && !this.#closing && this.#holding === undefined;
  }

  /** Sends a command that the broker answers. `command` must stay as it is. */
  request(command: Buffer, request: Request): void {
    this.enqueue(command, request);
    this.#schedule();
  }

  /** {@link request}, but it goes out with the next {@link flush}, or earlier. */
  enqueue(command: Buffer, request: Request): void {
    if (this.isClosed) {
      request.failed(new ConnectionError('E_CLOSED', this.address, 'the connection is closed'), false);
      return;
    }
    this.#requests.push(request);
    this.#unsent++;
    this.#outbox.add(command);
    if (this.#outbox.isFull) this.flush();
  }

  /** {@link request} as a promise of the answer, bounded by `handshakeTimeout`, after which the connection ends. */
  call(command: Buffer): Promise<string> {
    return new Promise((resolve, reject) => {
      const ms = this.#settings.handshakeTimeout;
      const timer = setTimeout(() => {
        this.#finish(new ConnectionError('E_CONNECT_TIMEOUT', this.address, `no answer within ${ms} ms`));
      }, ms);
      this.request(command, {
        answered: (bytes, start, end) => {
          clearTimeout(timer);
          resolve(bytes.toString('utf8', start, end));
        },
        failed: (error) => {
          clearTimeout(timer);
          reject(error);
        },
      });
    });
  }

  /** Sends a command without an answer. `command` must stay as it is. Does nothing once closed. */
  send(command: Buffer): void {
    if (this.isClosed) return;
    this.#outbox.add(command);
    this.#schedule();
  }

  /** Sends FIN for the message whose id is the 16 bytes of `source` from `idStart`. */
  sendFin(source: Buffer, idStart: number): void {
    if (this.isClosed) return;
    const at = this.#outbox.claim(FIN_SIZE);
    writeFin(this.#outbox.slab, at, source, idStart);
    this.#schedule();
  }

  /**
   * {@link request} of a command that is refused by its first `headSize` bytes: writes these, and for `ms` ms nothing
   * more, so that the broker says so before it gets more.
   */
  requestHeld(command: Buffer, request: Request, headSize: number, ms: number): void {
    this.enqueue(command.subarray(0, headSize), request);
    this.flush();
    this.#unsent = 1;
    this.#outbox.add(command.subarray(headSize));
    this.#holding ??= setTimeout(() => {
      this.#holding = undefined;
      this.flush();
      if (this.isWritable) this.#owner.drained();
    }, ms);
  }

  /** Sends what is gathered, ends this side, and waits (at most a second) for the peer to end its own. */
  close(): Promise<void> {
    if (this.isClosed) return Promise.resolve();
    this.#endHold();
    this.flush();
    this.#closing = true;
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#stream.destroy(), CLOSE_GRACE);
      this.#stream.once('close', () => {
        clearTimeout(timer);
        resolve();
      });
      this.#stream.end();
    });
  }

  /** Ends at once. */
  destroy(): void {
    this.#closing = true;
    this.#finish(new ConnectionError('E_CLOSED', this.address, 'the connection was closed'));
  }

  /** Sends AUTH where the broker requires it. */
  async #authorize(): Promise<void> {
    if (!this.#negotiated.authRequired) return;
    const { authSecret } = this.#settings;
    if (authSecret === '')
      throw new ConnectionError(
        'E_AUTH_REQUIRED',
        this.address,
        'the broker requires AUTH, and there is no authSecret',
      );
    await this.call(encodeAuth(authSecret));
  }

  readonly #onData = (chunk: Buffer): void => {
    this.#readWatch.received();
    this.#receivedAt = Math.trunc(performance.now());
    if (this.isClosed) return;
    try {
      this.#decoder.push(chunk, this.#onFrame);
    } catch (cause) {
      const words = cause instanceof Error ? cause.message : String(cause);
      this.#finish(new ConnectionError('E_PROTOCOL', this.address, words, { cause }));
      // Something else is not for this connection to swallow.
      if (!(cause instanceof FrameError || cause instanceof MessageError)) throw cause;
    }
  };

  readonly #onFrame = (type: FrameType, bytes: Buffer, start: number, end: number): void => {
    if (this.isClosed) return;
    if (type === FrameType.Message) this.#owner.message(bytes, start, end);
    else if (type === FrameType.Error) this.#onError(bytes.toString('utf8', start, end));
    else if (isHeartbeat(bytes, start, end)) this.send(NOP);
    else this.#onAnswer(bytes, start, end);
  };

  #onAnswer(bytes: Buffer, start: number, end: number): void {
    const request = this.#requests.shift();
    if (request === undefined) {
      const words = `an answer to nothing: ${bytes.toString('latin1', start, Math.min(end, start + 80))}`;
      this.#finish(new ConnectionError('E_PROTOCOL', this.address, words));
    } else {
      request.answered(bytes, start, end);
    }
  }

  #onError(line: string): void {
    const error = new BrokerError(this.address, line);
    if (!error.fatal) {
      this.#owner.refused(error);
      return;
    }
    this.#requests.shift()?.failed(error, !CERTAIN.test(error.code));
    this.#finish(error);
  }

  readonly #onDrain = (): void => {
    this.#congested = false;
    if (!this.isClosed) this.#owner.drained();
  };

  #schedule(): void {
    if (this.#outbox.isFull) {
      this.flush();
    } else if (!this.#flushScheduled && !this.isClosed) {
      this.#flushScheduled = true;
      setImmediate(this.flush);
    }
  }

  /** Writes what is gathered, without waiting for the turn's end. */
  readonly flush = (): void => {
    this.#flushScheduled = false;
    if (this.isClosed || this.#closing || this.#outbox.size === 0 || this.#holding !== undefined) return;
    const { size } = this.#outbox;
    const parts = this.#outbox.take();
    this.#unsent = 0;
    if (parts.length > 1) this.#stream.cork();
    for (const part of parts) this.#stream.write(part);
    if (parts.length > 1) this.#stream.uncork();
    this.#congested = this.#stream.writableNeedDrain;
    this.#writeWatch.wrote(size);
  };

  #endHold(): void {
    clearTimeout(this.#holding);
    this.#holding = undefined;
  }

  readonly #onStreamError = (cause: Error): void => {
    if (isCodecError(cause))
      this.#finish(new ConnectionError('E_PROTOCOL', this.address, cause.message, { cause }));
    else this.#lose(tlsReason(cause), cause);
  };

  #lose(words: string, cause?: Error): void {
    const code = this.#closing ? 'E_CLOSED' : 'E_CONNECTION_LOST';
    this.#finish(new ConnectionError(code, this.address, words, cause && { cause }));
  }

  #finish(error: BrokerError | ConnectionError): void {
    if (this.isClosed) return;
    this.#end = error;
    this.#readWatch.close();
    this.#endHold();
    this.#writeWatch.close();
    // A stream that is being ended in order may finish writing; every other end is at once.
    if (!(this.#closing && this.#stream.writableEnded)) this.#stream.destroy();
    this.#failRequests(error);
    this.#owner.closed(error);
  }

  /**
   * The broker reads in order and stops at what it refuses fatally: behind that nothing has arrived. Requests that
   * have surely not arrived fail newest first, so that an owner who puts each back in front restores their order.
   */
  #failRequests(end: BrokerError | ConnectionError): void {
    const requests = this.#requests.drain();
    const refused = end instanceof BrokerError;
    const arrived = refused ? 0 : requests.length - this.#unsent;
    const error = refused ? this.#brokenOff(end) : end;
    for (let i = 0; i < arrived; i++) requests[i]?.failed(error, true);
    for (let i = requests.length - 1; i >= arrived; i--) requests[i]?.failed(error, false);
  }

  #brokenOff(cause: BrokerError): ConnectionError {
    return new ConnectionError('E_CONNECTION_LOST', this.address, 'the broker refused an earlier command', {
      cause,
    });
  }
}

const HEARTBEAT = Buffer.from('_heartbeat_');

function isHeartbeat(bytes: Buffer, start: number, end: number): boolean {
  return end - start === HEARTBEAT.length && bytes.compare(HEARTBEAT, 0, HEARTBEAT.length, start, end) === 0;
}
