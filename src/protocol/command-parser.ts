import { Command, CommandLine } from './command-line.js';
import { ProtocolError } from './errors.js';
import { MpubBody } from './mpub-body.js';

const NEWLINE = 0x0a;
const LENGTH_SIZE = 4;
const MPUB_COUNT_SIZE = 4;
/** The longest command line, without its newline; the daemon's read buffer holds both. */
export const MAX_LINE_LENGTH = 16 * 1024 - 1;
/** Body bytes that are set aside at once; a larger body's buffer grows as it comes, so that a lie costs nothing. */
const FIRST_BODY_ALLOCATION = 1 << 20;

/** Buffers for cut bodies of up to this size are used again; the sink copies what it keeps. */
const SPARE_BODY = 64 * 1024;
const MOST_SPARE_BODIES = 64;
const spareBodies: Buffer[] = [];

const EMPTY = Buffer.alloc(0);

export interface CommandLimits {
  /** Bytes of one message's body. */
  maxMsgSize: number;
  /** Bytes of one command's body. */
  maxBodySize: number;
}

/** Takes what the parser reads. Both may throw to refuse; the parser is of no more use then. */
export interface CommandSink {
  /** The line of a command that has a body is complete, the body is not read yet. */
  onHead(line: CommandLine): void;
  /** A command is complete. Its body is `body[start, end)`, empty for a command without one. Copy what is to stay. */
  onCommand(line: CommandLine, body: Buffer, start: number, end: number): void;
}

/** A line without end: the connection is of no use any more, and nothing is sent back. */
export class LineTooLongError extends Error {
  override readonly name = 'LineTooLongError';
  readonly code = 'E_LINE_TOO_LONG';

  constructor() {
    super(`command line longer than ${MAX_LINE_LENGTH} bytes`);
  }
}

const State = { Line: 0, Size: 1, Body: 2 } as const;

function hasBody(command: Command): boolean {
  return (
    command === Command.Pub ||
    command === Command.Mpub ||
    command === Command.Dpub ||
    command === Command.Identify ||
    command === Command.Auth
  );
}

/**
 * Reads commands of protocol V2 from chunks of bytes that may be cut anywhere. A command that lies whole within a
 * chunk is handed on in place, without a copy; of one that is cut, the part that has come is kept.
 *
 *     Line ──(command with a body)── Size ── Body ──┐
 *      ▲ └─(command without)── sink.onCommand       │
 *      └────────────────────── sink.onCommand ──────┘
 */
export class CommandParser {
  readonly #sink: CommandSink;
  readonly #limits: CommandLimits;
  readonly #line = new CommandLine();
  readonly #mpub = new MpubBody();
  #state: number = State.Line;
  /** What has come of a cut line, or of a cut length. */
  #part: Buffer = EMPTY;
  #body: Buffer = EMPTY;
  #have = 0;
  #size = 0;
  #stopped = false;
  #rest: Buffer = EMPTY;

  constructor(sink: CommandSink, limits: CommandLimits) {
    this.#sink = sink;
    this.#limits = limits;
  }

  /**
   * Reads on with the next chunk. Nothing of it is kept: what is needed later is copied.
   * @throws ProtocolError for bytes that no client may send, LineTooLongError, and what the sink throws.
   */
  push(chunk: Buffer): void {
    if (this.#stopped) {
      this.#rest = Buffer.concat([this.#rest, chunk]);
      return;
    }
    let at = 0;
    while (at < chunk.length) {
      if (this.#state === State.Line) at = this.#readLine(chunk, at);
      else if (this.#state === State.Size) at = this.#readSize(chunk, at);
      else at = this.#readBody(chunk, at);
      if (this.#stopped) {
        this.#rest = Buffer.from(chunk.subarray(at));
        return;
      }
    }
  }

  /** Stops after the command at hand; to be called from the sink. What comes is kept until `resume`. */
  stop(): void {
    this.#stopped = true;
  }

  /** Goes on after `stop`, with what was kept meanwhile. */
  resume(): void {
    this.#stopped = false;
    const rest = this.takeRest();
    if (rest.length > 0) this.push(rest);
  }

  /** The bytes that came after the last command before `stop`: they may belong to another layer. */
  takeRest(): Buffer {
    const rest = this.#rest;
    this.#rest = EMPTY;
    return rest;
  }

  /**
   * The peer will send nothing more.
   * @throws ProtocolError if it ends within a command's body.
   */
  end(): void {
    if (this.#state === State.Line) return;
    if (this.#state === State.Body && this.#line.command === Command.Mpub && this.#have >= MPUB_COUNT_SIZE) {
      throw new ProtocolError('E_BAD_MESSAGE', 'MPUB failed to read message body');
    }
    const what = this.#state === State.Size ? 'body size' : 'body';
    throw this.#bodyError(`failed to read ${this.#isMessage() ? 'message ' : ''}${what}`);
  }

  #readLine(chunk: Buffer, at: number): number {
    let end = at;
    while (end < chunk.length && chunk[end] !== NEWLINE) end++;
    if (end - at + this.#part.length > MAX_LINE_LENGTH) throw new LineTooLongError();
    if (end === chunk.length) {
      this.#part = Buffer.concat([this.#part, chunk.subarray(at)]);
      return end;
    }
    const line = this.#line;
    if (this.#part.length > 0) {
      const whole = Buffer.concat([this.#part, chunk.subarray(at, end)]);
      this.#part = EMPTY;
      line.parse(whole, 0, whole.length);
    } else {
      line.parse(chunk, at, end);
    }
    at = end + 1;
    if (!hasBody(line.command)) {
      this.#sink.onCommand(line, EMPTY, 0, 0);
      return at;
    }
    this.#sink.onHead(line);
    if (at + LENGTH_SIZE > chunk.length) {
      line.detach();
      this.#state = State.Size;
      return at;
    }
    return this.#beginBody(chunk.readInt32BE(at), chunk, at + LENGTH_SIZE);
  }

  #readSize(chunk: Buffer, at: number): number {
    const take = Math.min(LENGTH_SIZE - this.#part.length, chunk.length - at);
    this.#part = Buffer.concat([this.#part, chunk.subarray(at, at + take)]);
    if (this.#part.length < LENGTH_SIZE) return at + take;
    const size = this.#part.readInt32BE(0);
    this.#part = EMPTY;
    return this.#beginBody(size, chunk, at + take);
  }

  #beginBody(size: number, chunk: Buffer, at: number): number {
    const line = this.#line;
    this.#checkSize(size);
    if (line.command === Command.Mpub) {
      this.#mpub.begin();
      const come = chunk.length - at;
      if (this.#isMpubWhole(chunk, at, come)) {
        this.#complete(chunk, at, this.#mpub.length);
        return at + this.#mpub.length;
      }
    } else if (at + size <= chunk.length) {
      this.#complete(chunk, at, size);
      return at + size;
    }
    line.detach();
    this.#state = State.Body;
    this.#size = size;
    this.#have = 0;
    this.#body =
      size <= SPARE_BODY
        ? (spareBodies.pop() ?? Buffer.allocUnsafeSlow(SPARE_BODY))
        : Buffer.allocUnsafeSlow(Math.min(size, FIRST_BODY_ALLOCATION));
    return at < chunk.length ? this.#readBody(chunk, at) : at;
  }

  #readBody(chunk: Buffer, at: number): number {
    const isMpub = this.#line.command === Command.Mpub;
    const size = isMpub ? Math.max(this.#size, this.#mpub.least) : this.#size;
    const take = Math.min(size - this.#have, chunk.length - at);
    if (this.#have + take > this.#body.length) {
      const grown = Buffer.allocUnsafeSlow(
        Math.min(size, Math.max(this.#body.length * 2, this.#have + take)),
      );
      this.#body.copy(grown, 0, 0, this.#have);
      this.#body = grown;
    }
    chunk.copy(this.#body, this.#have, at, at + take);
    this.#have += take;
    const whole = isMpub ? this.#isMpubWhole(this.#body, 0, this.#have) : this.#have === size;
    if (!whole) return at + take;
    const length = isMpub ? this.#mpub.length : size;
    const body = this.#body;
    this.#body = EMPTY;
    this.#complete(body, 0, length);
    if (body.length === SPARE_BODY && spareBodies.length < MOST_SPARE_BODIES) spareBodies.push(body);
    return at + take - (this.#have - length);
  }

  #complete(body: Buffer, start: number, size: number): void {
    const line = this.#line;
    this.#state = State.Line;
    if (line.command === Command.Mpub) line.messages = this.#mpub.count;
    this.#sink.onCommand(line, body, start, start + size);
  }

  #isMpubWhole(body: Buffer, start: number, have: number): boolean {
    this.#mpub.advance(body, start, have, this.#limits.maxMsgSize, this.#limits.maxBodySize);
    return this.#mpub.isWhole(have);
  }

  #checkSize(size: number): void {
    const limit = this.#isMessage() ? this.#limits.maxMsgSize : this.#limits.maxBodySize;
    if (size > 0 && size <= limit) return;
    const what = this.#isMessage() ? 'message' : 'body';
    if (size > limit) throw this.#bodyError(`${what} too big ${size} > ${limit}`);
    throw this.#bodyError(`invalid ${this.#isMessage() ? 'message body' : 'body'} size ${size}`);
  }

  #isMessage(): boolean {
    return this.#line.command === Command.Pub || this.#line.command === Command.Dpub;
  }

  #bodyError(detail: string): ProtocolError {
    return new ProtocolError(
      this.#isMessage() ? 'E_BAD_MESSAGE' : 'E_BAD_BODY',
      `${this.#line.name} ${detail}`,
    );
  }
}
