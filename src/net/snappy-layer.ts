import { Layer } from './layer.js';
import { SnappyDecoder } from './snappy/decoder.js';
import { SnappyEncoder } from './snappy/encoder.js';
import { SnappyError } from './snappy/errors.js';

/** Snappy on both ways. Ends with a {@link SnappyError} when what comes is no snappy stream, or is cut off. */
export class SnappyLayer extends Layer {
  readonly #decoder = new SnappyDecoder();
  readonly #encoder = new SnappyEncoder();
  readonly #deliver = (bytes: Buffer): void => void this.deliver(bytes);

  feed(chunk: Buffer): void {
    if (this.destroyed) return;
    try {
      this.#decoder.push(chunk, this.#deliver);
    } catch (error) {
      if (!(error instanceof SnappyError)) throw error;
      this.destroy(error);
    }
  }

  protected decodeEnd(): void {
    if (this.#decoder.isBetweenChunks) this.deliverEnd();
    else this.destroy(new SnappyError('the stream is cut off'));
  }

  protected encode(bytes: Buffer, done: () => void): void {
    this.sendBelow(this.#encoder.encode(bytes), done);
  }

  protected finish(done: () => void): void {
    done();
  }
}
