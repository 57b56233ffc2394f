/** A client's command, as it was sent. */
export interface SentCommand {
  readonly name: string;
  readonly params: readonly string[];
  /** Empty when the command has none. */
  readonly body: Buffer;
  /** All of it. */
  readonly bytes: Buffer;
}

const MAGIC_SIZE = 4;
const LINE_LIMIT = 1024;
const WITH_BODY: ReadonlySet<string> = new Set(['IDENTIFY', 'AUTH', 'PUB', 'MPUB', 'DPUB']);

/** Cuts a client's byte stream into commands (TCP protocol specification, "Commands"). */
export class CommandReader {
  #buffered: Buffer = Buffer.alloc(0);
  #hasMagic = false;

  /** What is no command, from a byte on: neither is what follows. */
  isGarbled = false;

  /** Takes the next bytes; gives the commands that are complete with them, the magic first, as one without a name. */
  push(chunk: Buffer): SentCommand[] {
    this.#buffered = this.#buffered.length === 0 ? chunk : Buffer.concat([this.#buffered, chunk]);
    const commands: SentCommand[] = [];
    for (let next = this.#next(); next !== undefined; next = this.#next()) commands.push(next);
    return commands;
  }

  /** What has come since the last command. */
  takeRest(): Buffer {
    const rest = this.#buffered;
    this.#buffered = Buffer.alloc(0);
    return rest;
  }

  #next(): SentCommand | undefined {
    const all = this.#buffered;
    if (!this.#hasMagic) {
      if (all.length < MAGIC_SIZE) return undefined;
      this.#hasMagic = true;
      return this.#cut('', [], MAGIC_SIZE, MAGIC_SIZE);
    }
    const newline = all.indexOf('\n');
    if (newline < 0) {
      this.isGarbled = all.length > LINE_LIMIT;
      return undefined;
    }
    const [name = '', ...params] = all.toString('latin1', 0, newline).split(' ');
    const start = newline + 1;
    if (!WITH_BODY.has(name)) return this.#cut(name, params, start, start);
    if (all.length < start + 4) return undefined;
    const end = start + 4 + all.readUInt32BE(start);
    return all.length < end ? undefined : this.#cut(name, params, start + 4, end);
  }

  #cut(name: string, params: readonly string[], bodyStart: number, end: number): SentCommand {
    const bytes = this.#buffered.subarray(0, end);
    this.#buffered = this.#buffered.subarray(end);
    return { name, params, body: bytes.subarray(bodyStart), bytes };
  }
}

/** The messages of a PUB, DPUB or MPUB. */
export function publishedBodies({ name, body }: SentCommand): Buffer[] {
  if (name !== 'MPUB') return [body];
  const bodies: Buffer[] = [];
  for (let at = 4; at + 4 <= body.length; ) {
    const end = at + 4 + body.readUInt32BE(at);
    bodies.push(body.subarray(at + 4, end));
    at = end;
  }
  return bodies;
}
