/**
 * Entries of a topic's journal. Each is a type byte and fixed fields, numbers big-endian; message numbers and times are
 * f64, channel ids u32.
 */
const EntryType = {
  /** u32 channel | f64 cursor | u8 paused | u8 length | name */
  Channel: 1,
  /** u32 channel */
  ChannelDeleted: 2,
  /** u32 channel | u8 paused */
  ChannelPaused: 3,
  /** u8 1 if paused, 2 if held, their sum | f64 pumped: messages from there on were not passed to channels yet */
  Topic: 4,
  /** u32 channel | f64 n: every message below it was taken */
  Cursor: 5,
  /** u32 channel | f64 n | u32 count */
  Finished: 6,
  /** u32 channel | f64 n | u32 count | u16 attempts: taken, not finished, delivered so many times */
  Held: 7,
  /** u32 channel | f64 n | u16 attempts | f64 due */
  Deferred: 8,
  /** u32 channel | f64 n: everything below it is gone */
  Emptied: 9,
  /** u32 channel | f64 from | f64 to: these will never be delivered */
  Skipped: 10,
} as const;

const PAUSED = 1;
const HELD = 2;

export interface EntrySink {
  channel(id: number, cursor: number, paused: boolean, name: string): void;
  channelDeleted(id: number): void;
  channelPaused(id: number, paused: boolean): void;
  /** `held`: its channels are not all known yet. */
  topic(paused: boolean, pumped: number, held: boolean): void;
  cursor(id: number, n: number): void;
  finished(id: number, n: number, count: number): void;
  held(id: number, n: number, count: number, attempts: number): void;
  deferred(id: number, n: number, attempts: number, due: number): void;
  emptied(id: number, n: number): void;
  skipped(id: number, from: number, to: number): void;
}

const FIRST_SIZE = 256;
const LONGEST_ENTRY = 1 + 4 + 8 + 1 + 1 + 64;

/** Encodes entries into a buffer that grows. */
export class EntryWriter implements EntrySink {
  #buf = Buffer.allocUnsafeSlow(FIRST_SIZE);
  #at = 0;
  #isVital = false;
  #hasChannel = false;

  get length(): number {
    return this.#at;
  }

  bytes(): Buffer {
    return this.#buf.subarray(0, this.#at);
  }

  /** Some of it says that a channel is there or gone, or paused: no later entry would make up for that. */
  get isVital(): boolean {
    return this.#isVital;
  }

  /** Some of it says that a channel is there. */
  get hasChannel(): boolean {
    return this.#hasChannel;
  }

  clear(): void {
    this.#at = 0;
    this.#isVital = this.#hasChannel = false;
  }

  channel(id: number, cursor: number, paused: boolean, name: string): void {
    this.#isVital = this.#hasChannel = true;
    this.#begin(EntryType.Channel, id);
    this.#f64(cursor);
    this.#u8(paused ? 1 : 0);
    this.#u8(name.length);
    this.#at += this.#buf.write(name, this.#at, 'latin1');
  }

  channelDeleted(id: number): void {
    this.#isVital = true;
    this.#begin(EntryType.ChannelDeleted, id);
  }

  channelPaused(id: number, paused: boolean): void {
    this.#isVital = true;
    this.#begin(EntryType.ChannelPaused, id);
    this.#u8(paused ? 1 : 0);
  }

  topic(paused: boolean, pumped: number, held: boolean): void {
    this.#isVital = true;
    this.#reserve();
    this.#u8(EntryType.Topic);
    this.#u8((paused ? PAUSED : 0) + (held ? HELD : 0));
    this.#f64(pumped);
  }

  cursor(id: number, n: number): void {
    this.#begin(EntryType.Cursor, id);
    this.#f64(n);
  }

  finished(id: number, n: number, count: number): void {
    this.#begin(EntryType.Finished, id);
    this.#f64(n);
    this.#u32(count);
  }

  held(id: number, n: number, count: number, attempts: number): void {
    this.#begin(EntryType.Held, id);
    this.#f64(n);
    this.#u32(count);
    this.#u16(attempts);
  }

  deferred(id: number, n: number, attempts: number, due: number): void {
    this.#begin(EntryType.Deferred, id);
    this.#f64(n);
    this.#u16(attempts);
    this.#f64(due);
  }

  emptied(id: number, n: number): void {
    this.#begin(EntryType.Emptied, id);
    this.#f64(n);
  }

  skipped(id: number, from: number, to: number): void {
    this.#begin(EntryType.Skipped, id);
    this.#f64(from);
    this.#f64(to);
  }

  #begin(type: number, id: number): void {
    this.#reserve();
    this.#u8(type);
    this.#u32(id);
  }

  #reserve(): void {
    if (this.#at + LONGEST_ENTRY <= this.#buf.length) return;
    const grown = Buffer.allocUnsafeSlow(this.#buf.length * 2);
    this.#buf.copy(grown, 0, 0, this.#at);
    this.#buf = grown;
  }

  #u8(value: number): void {
    this.#at = this.#buf.writeUInt8(value, this.#at);
  }

  #u16(value: number): void {
    this.#at = this.#buf.writeUInt16BE(value, this.#at);
  }

  #u32(value: number): void {
    this.#at = this.#buf.writeUInt32BE(value, this.#at);
  }

  #f64(value: number): void {
    this.#at = this.#buf.writeDoubleBE(value, this.#at);
  }
}

/**
 * Reads a batch of entries.
 * @throws RangeError if the bytes are no whole entries of a known type.
 */
export function readEntries(buf: Buffer, sink: EntrySink): void {
  let at = 0;
  const step = (size: number): number => {
    at += size;
    return at - size;
  };
  const u8 = (): number => buf.readUInt8(step(1));
  const u16 = (): number => buf.readUInt16BE(step(2));
  const u32 = (): number => buf.readUInt32BE(step(4));
  const f64 = (): number => buf.readDoubleBE(step(8));
  while (at < buf.length) {
    const type = u8();
    if (type === EntryType.Topic) {
      const flags = u8();
      sink.topic((flags & PAUSED) !== 0, f64(), (flags & HELD) !== 0);
    } else if (type === EntryType.Channel) {
      const id = u32();
      const cursor = f64();
      const paused = u8() === 1;
      const length = u8();
      if (at + length > buf.length) throw new RangeError('journal entry is cut');
      sink.channel(id, cursor, paused, buf.toString('latin1', at, at + length));
      at += length;
    } else if (type === EntryType.ChannelDeleted) sink.channelDeleted(u32());
    else if (type === EntryType.ChannelPaused) sink.channelPaused(u32(), u8() === 1);
    else if (type === EntryType.Cursor) sink.cursor(u32(), f64());
    else if (type === EntryType.Finished) sink.finished(u32(), f64(), u32());
    else if (type === EntryType.Held) sink.held(u32(), f64(), u32(), u16());
    else if (type === EntryType.Deferred) sink.deferred(u32(), f64(), u16(), f64());
    else if (type === EntryType.Emptied) sink.emptied(u32(), f64());
    else if (type === EntryType.Skipped) sink.skipped(u32(), f64(), f64());
    else throw new RangeError(`journal entry of unknown type ${type}`);
  }
}
