import type { Duplex } from 'node:stream';
import { constants, createDeflateRaw, createInflateRaw, type DeflateRaw, type InflateRaw } from 'node:zlib';
import { Layer } from './layer.js';

/** Bytes that come out of zlib at once. */
const CHUNK_SIZE = 32 * 1024;

/**
 * Raw deflate on both ways. Every write can be read at once by the peer. A peer may end without ending its deflate
 * stream, as go-nsq does. Ends with zlib's error when what comes is none.
 */
export class DeflateLayer extends Layer {
  readonly #deflate: DeflateRaw;
  readonly #inflate: InflateRaw;

  /** @param level 1 to 9 */
  constructor(below: Duplex, level: number) {
    super(below);
    this.#deflate = createDeflateRaw({ level, flush: constants.Z_SYNC_FLUSH, chunkSize: CHUNK_SIZE });
    this.#inflate = createInflateRaw({ finishFlush: constants.Z_SYNC_FLUSH, chunkSize: CHUNK_SIZE });
    this.#deflate.on('data', (packed: Buffer) => {
      this.#deflate.pause();
      this.sendBelow([packed], () => this.#deflate.resume());
    });
    this.#inflate.on('data', (bytes: Buffer) => {
      if (!this.deliver(bytes)) this.#inflate.pause();
    });
    this.#inflate.on('drain', () => this.below.resume());
    this.#inflate.on('end', () => this.deliverEnd());
    for (const stream of [this.#deflate, this.#inflate])
      stream.on('error', (error: Error) => this.destroy(error));
  }

  feed(chunk: Buffer): void {
    if (this.destroyed || this.#inflate.writableEnded) return;
    // zlib reads it in a thread of its own, when the caller's buffer may be in use again.
    if (!this.#inflate.write(Buffer.from(chunk))) this.below.pause();
  }

  protected decodeEnd(): void {
    this.#inflate.end();
  }

  protected encode(bytes: Buffer, done: (error?: Error | null) => void): void {
    this.#deflate.write(bytes, done);
  }

  protected finish(done: (error?: Error | null) => void): void {
    this.#deflate.once('end', () => done());
    this.#deflate.end();
  }

  override _read(): void {
    if (this.#inflate.isPaused()) this.#inflate.resume();
    else if (!this.#inflate.writableNeedDrain) super._read();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#deflate.destroy();
    this.#inflate.destroy();
    super._destroy(error, done);
  }
}
