import type { Duplex } from 'node:stream';
import { FRAME_HEADER_SIZE, type FrameType } from '../protocol/frame.js';
import { FrameError, frameSizeError } from '../protocol/frame-decoder.js';

/** Bytes of a frame's type, which its size counts. */
const TYPE_SIZE = 4;
/** Data of a frame at most: no answer of a handshake is nearly as long. */
const MAX_SIZE = 64 * 1024;

export interface Frame {
  readonly type: FrameType;
  readonly text: string;
}

interface Waiter {
  readonly resolve: (frame: Frame) => void;
  readonly reject: (error: Error) => void;
}

/**
 * Reads a stream frame by frame, and no further than that: behind an answer of the handshake the stream may change its
 * nature. It flows only while a frame is waited for.
 */
export class FrameReader {
  readonly #stream: Duplex;
  #bytes: Buffer = Buffer.alloc(0);
  #waiter: Waiter | undefined;
  #end: Error | undefined;

  constructor(stream: Duplex) {
    this.#stream = stream;
    stream.on('data', this.#onData);
    stream.on('end', this.#onEnd);
    stream.on('close', this.#onEnd);
    stream.on('error', this.#onError);
  }

  /** The next frame. Rejects with the stream's error, a FrameError, or an Error of its own when it ends. */
  next(): Promise<Frame> {
    return new Promise((resolve, reject) => {
      this.#waiter = { resolve, reject };
      this.#advance();
      if (this.#waiter) this.#stream.resume();
    });
  }

  /** Leaves the stream, paused, to somebody else, with the bytes behind the last frame. */
  release(): Buffer {
    this.#stream.pause();
    this.#stream.off('data', this.#onData);
    this.#stream.off('end', this.#onEnd);
    this.#stream.off('close', this.#onEnd);
    // Its errors are of interest to nobody until somebody else listens; `destroyed` tells of them.
    this.#stream.on('error', () => {});
    this.#stream.off('error', this.#onError);
    return this.#bytes;
  }

  readonly #onData = (chunk: Buffer): void => {
    this.#bytes = this.#bytes.length === 0 ? chunk : Buffer.concat([this.#bytes, chunk]);
    this.#advance();
  };

  readonly #onEnd = (): void => {
    this.#end ??= new Error('the broker closed the connection');
    this.#advance();
  };

  readonly #onError = (error: Error): void => {
    this.#end ??= error;
    this.#advance();
  };

  #advance(): void {
    const waiter = this.#waiter;
    if (!waiter) return;
    try {
      const frame = this.#take();
      if (frame) waiter.resolve(frame);
      else if (this.#end) waiter.reject(this.#end);
      else return;
    } catch (error) {
      waiter.reject(error as FrameError);
    }
    this.#waiter = undefined;
    this.#stream.pause();
  }

  #take(): Frame | undefined {
    const bytes = this.#bytes;
    if (bytes.length < FRAME_HEADER_SIZE) return undefined;
    const size = bytes.readInt32BE(0);
    if (size < TYPE_SIZE || size - TYPE_SIZE > MAX_SIZE) {
      throw frameSizeError(size, MAX_SIZE);
    }
    const end = FRAME_HEADER_SIZE - TYPE_SIZE + size;
    if (bytes.length < end) return undefined;
    const type = bytes.readUInt32BE(TYPE_SIZE);
    if (type > 2) throw new FrameError('E_FRAME_TYPE', `frame type ${type} is unknown`);
    this.#bytes = bytes.subarray(end);
    return { type: type as FrameType, text: bytes.toString('utf8', FRAME_HEADER_SIZE, end) };
  }
}
