/** Commands of protocol V2 that a client sends. `Unknown` stands for every other word. */
export const Command = {
  Unknown: 0,
  Identify: 1,
  Sub: 2,
  Pub: 3,
  Mpub: 4,
  Dpub: 5,
  Rdy: 6,
  Fin: 7,
  Req: 8,
  Touch: 9,
  Cls: 10,
  Nop: 11,
  Auth: 12,
} as const;
export type Command = (typeof Command)[keyof typeof Command];

const NAMES: Readonly<Record<string, Command>> = {
  IDENTIFY: Command.Identify,
  SUB: Command.Sub,
  PUB: Command.Pub,
  MPUB: Command.Mpub,
  DPUB: Command.Dpub,
  RDY: Command.Rdy,
  FIN: Command.Fin,
  REQ: Command.Req,
  TOUCH: Command.Touch,
  CLS: Command.Cls,
  NOP: Command.Nop,
  AUTH: Command.Auth,
};

const word3 = (text: string): number =>
  (text.charCodeAt(0) << 16) | (text.charCodeAt(1) << 8) | text.charCodeAt(2);
const FIN = word3('FIN');
const RDY = word3('RDY');
const PUB = word3('PUB');

const BLANK = 0x20;
const CARRIAGE_RETURN = 0x0d;
/** Parameters whose place is kept; more are counted only (no command has more than two). */
const KEPT_PARAMS = 4;

/**
 * One command line, read in place: `name param param`, split at single blanks as the daemon does, so that two blanks
 * in a row make an empty parameter. The object is used again for the next line; nothing in it may be kept.
 */
export class CommandLine {
  command: Command = Command.Unknown;
  buf: Buffer = Buffer.alloc(0);
  start = 0;
  end = 0;
  /** Parameters after the command's name. */
  params = 0;
  /** MPUB only: how many messages the body holds. */
  messages = 0;
  readonly #starts = new Int32Array(KEPT_PARAMS);
  readonly #ends = new Int32Array(KEPT_PARAMS);

  /** Reads the line in `buf[start, end)`, its newline not included. */
  parse(buf: Buffer, start: number, end: number): void {
    if (end > start && buf[end - 1] === CARRIAGE_RETURN) end--;
    this.buf = buf;
    this.start = start;
    this.end = end;
    this.messages = 0;
    let params = -1;
    let from = start;
    let nameEnd = end;
    for (let i = start; i <= end; i++) {
      if (i < end && buf[i] !== BLANK) continue;
      if (params === -1) nameEnd = i;
      else if (params < KEPT_PARAMS) {
        this.#starts[params] = from;
        this.#ends[params] = i;
      }
      params++;
      from = i + 1;
    }
    this.params = params;
    this.command = this.#classify(nameEnd);
  }

  #classify(nameEnd: number): Command {
    const { buf, start } = this;
    if (nameEnd - start === 3) {
      const word = (buf[start]! << 16) | (buf[start + 1]! << 8) | buf[start + 2]!;
      if (word === FIN) return Command.Fin;
      if (word === PUB) return Command.Pub;
      if (word === RDY) return Command.Rdy;
    }
    if (nameEnd - start > 8) return Command.Unknown;
    const name = buf.toString('latin1', start, nameEnd);
    return Object.hasOwn(NAMES, name) ? NAMES[name]! : Command.Unknown;
  }

  paramStart(index: number): number {
    return this.#starts[index]!;
  }

  paramEnd(index: number): number {
    return this.#ends[index]!;
  }

  /** The parameter as text; bytes above 0x7f come out as latin1. */
  param(index: number): string {
    return index < this.params ? this.buf.toString('latin1', this.#starts[index]!, this.#ends[index]!) : '';
  }

  /** The parameter as a decimal count, -1 if it is none. No digits at all are 0, as the daemon reads it. */
  count(index: number): number {
    if (index >= this.params) return -1;
    let value = 0;
    for (let i = this.#starts[index]!; i < this.#ends[index]!; i++) {
      const digit = this.buf[i]! - 0x30;
      if (digit < 0 || digit > 9) return -1;
      value = value * 10 + digit;
    }
    return value;
  }

  /** The command's name as sent, for the words of an error. */
  get name(): string {
    return this.buf.toString('latin1', this.start, this.end).split(' ', 1)[0] ?? '';
  }

  /** Copies the line out of the buffer it was read from, so that it stays when that is gone. */
  detach(): void {
    const copy = Buffer.from(this.buf.subarray(this.start, this.end));
    const messages = this.messages;
    this.parse(copy, 0, copy.length);
    this.messages = messages;
  }
}
