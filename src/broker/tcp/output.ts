import type { Duplex } from 'node:stream';
import type { Slab } from '../log/slab.js';

const BUFFER_SIZE = 16 * 1024;
/** A piece of this size or more goes to the socket as it is; a smaller one is gathered with others. */
const WORTH_A_PIECE = 2048;
/** Bytes that wait in the socket from which on it counts as full. */
const FULL = 512 * 1024;
/** Bytes of messages that a turn gives one client at the most, or little more. */
const ENOUGH = 1024 * 1024;
/** Pieces from which on they had better be written before the turn's end. */
const MANY = 64;
/** Buffers that are free; a socket has one only while something waits in it. */
const SPARE: Buffer[] = [];
const MOST_SPARE = 64;

/**
 * Gathers what goes out in one turn. Short pieces are copied together, long ones are passed on as slices of the log.
 */
export class Output {
  #socket: Duplex;
  /** Bytes of the log are written as they lie there, not copied first. */
  #lends = true;
  #buf: Buffer | undefined;
  #from = 0;
  #at = 0;
  readonly #pieces: Buffer[] = [];
  #full = false;
  /** Bytes of messages since the last flush. */
  #gathered = 0;
  /** Slabs whose bytes are in pieces, or wait in the socket. */
  readonly #held: Slab[] = [];

  constructor(socket: Duplex) {
    this.#socket = socket;
  }

  /**
   * What comes from now on goes to a stream on top of the socket. Such a one does not say when exactly it is done with
   * what it was given, so that it is given copies.
   */
  redirect(stream: Duplex): void {
    this.#socket = stream;
    this.#lends = false;
    this.#full = false;
    this.release();
  }

  /** The socket does not take more at the moment; it says `drain` when it does. */
  get full(): boolean {
    return this.#full;
  }

  /** So much was added in this turn that the rest had better wait for the next one. */
  get enough(): boolean {
    return this.#gathered >= ENOUGH;
  }

  /** So many answers were gathered that they had better be written before more is read. */
  get crowded(): boolean {
    return this.#pieces.length >= MANY;
  }

  /** The socket has sent everything. */
  drained(): void {
    this.#full = false;
    if (this.#pieces.length === 0) this.release();
  }

  /** Lets the slabs go whose bytes are sent, or never will be. */
  release(): void {
    for (const slab of this.#held) slab.letGo();
    this.#held.length = 0;
  }

  /** Adds a frame of its own. */
  write(frame: Buffer): void {
    if (frame.length < WORTH_A_PIECE) {
      const at = this.reserve(frame.length);
      this.#buf!.set(frame, at);
      return;
    }
    this.#cut();
    this.#pieces.push(frame);
  }

  /** Adds bytes of a slab; a long piece is not copied, and the slab is held until it is sent. */
  writeSlab(slab: Slab, start: number, end: number): void {
    const { buf } = slab;
    this.#gathered += end - start;
    if (end - start < WORTH_A_PIECE) {
      const at = this.reserve(end - start);
      this.#buf!.set(new Uint8Array(buf.buffer, buf.byteOffset + start, end - start), at);
      return;
    }
    this.#cut();
    if (!this.#lends) {
      this.#pieces.push(Buffer.from(buf.subarray(start, end)));
      return;
    }
    this.#pieces.push(buf.subarray(start, end));
    if (this.#held.at(-1) === slab) return;
    slab.hold();
    this.#held.push(slab);
  }

  /** Makes room for `size` bytes (no more than a buffer holds), and says where in `buffer` they go. */
  reserve(size: number): number {
    if (!this.#buf || this.#at + size > this.#buf.length) {
      this.#cut();
      this.#buf = SPARE.pop() ?? Buffer.allocUnsafeSlow(BUFFER_SIZE);
      this.#from = this.#at = 0;
    }
    const at = this.#at;
    this.#at += size;
    return at;
  }

  get buffer(): Buffer {
    return this.#buf!;
  }

  /** Hands everything to the socket. */
  flush(): void {
    const socket = this.#socket;
    this.#cut();
    this.#gathered = 0;
    const pieces = this.#pieces;
    if (pieces.length === 0) return;
    if (pieces.length === 1) socket.write(pieces[0]!);
    else {
      socket.cork();
      for (const piece of pieces) socket.write(piece);
      socket.uncork();
    }
    pieces.length = 0;
    const { writableLength } = socket;
    // All of it is with the kernel already, so that what it lay in is free again.
    if (writableLength === 0) {
      if (this.#buf && SPARE.length < MOST_SPARE) SPARE.push(this.#buf);
      this.release();
    }
    this.#buf = undefined;
    this.#full = writableLength > FULL;
  }

  #cut(): void {
    if (this.#buf && this.#at > this.#from) this.#pieces.push(this.#buf.subarray(this.#from, this.#at));
    this.#from = this.#at;
  }
}
