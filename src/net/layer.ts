import { Duplex } from 'node:stream';

/** Plain bytes that may wait on either side before the other one is to pause. */
const HIGH_WATER = 64 * 1024;

/** Whether what a layer ended with says that the bytes were none of its encoding. */
export function isCodecError(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return code === 'E_SNAPPY' || code.startsWith('Z_');
}

/**
 * A stream on top of another one, as TLS is on top of TCP: plain bytes above, encoded ones below. What comes from
 * below is fed to it, or read once {@link readBelow} is called. The two live and die together.
 */
export abstract class Layer extends Duplex {
  protected readonly below: Duplex;
  #afterDrain: (() => void) | undefined;
  #fedAll = false;
  readonly #onDrain = (): void => {
    const next = this.#afterDrain;
    this.#afterDrain = undefined;
    next?.();
  };

  constructor(below: Duplex) {
    super({ allowHalfOpen: true, highWaterMark: HIGH_WATER });
    this.below = below;
    below.on('drain', this.#onDrain);
    below.on('error', (error: Error) => this.destroy(error));
    below.on('close', () => this.#closed());
  }

  /** The next encoded bytes; they need not stay as they are. */
  abstract feed(chunk: Buffer): void;
  /** What was fed is all; {@link deliverEnd} follows it. */
  protected abstract decodeEnd(): void;
  /** Encodes and calls {@link sendBelow}; `done` when more may come. */
  protected abstract encode(bytes: Buffer, done: (error?: Error | null) => void): void;
  /** Sends what belongs at the end. */
  protected abstract finish(done: (error?: Error | null) => void): void;

  /** No more encoded bytes will come. */
  feedEnd(): void {
    this.#fedAll = true;
    this.decodeEnd();
  }

  /** Takes what comes from below by itself. */
  readBelow(): this {
    this.below.on('data', (chunk: Buffer) => this.feed(chunk));
    this.below.on('end', () => this.feedEnd());
    return this;
  }

  /** Writes what it has, and is gone then. */
  destroySoon(): void {
    if (this.writableFinished) this.destroy();
    else this.once('finish', () => this.destroy());
    this.end();
  }

  /** Hands on plain bytes; what is below pauses when nobody takes them. */
  protected deliver(bytes: Buffer): boolean {
    const wanted = this.push(bytes);
    if (!wanted) this.below.pause();
    return wanted;
  }

  protected deliverEnd(): void {
    this.push(null);
  }

  /** Nothing can be written any more, but what came before may not be read yet. */
  #closed(): void {
    if (!this.#fedAll || this.readableEnded) this.destroy();
    else this.once('end', () => this.destroy());
  }

  /** Writes encoded bytes; `done` once what is below takes more. */
  protected sendBelow(chunks: readonly Buffer[], done: () => void): void {
    if (chunks.length > 1) this.below.cork();
    for (const chunk of chunks) this.below.write(chunk);
    if (chunks.length > 1) this.below.uncork();
    if (this.below.writableNeedDrain) this.#afterDrain = done;
    else done();
  }

  override _read(): void {
    if (this.below.isPaused()) this.below.resume();
  }

  override _write(bytes: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.encode(bytes, done);
  }

  override _writev(items: { chunk: Buffer }[], done: (error?: Error | null) => void): void {
    this.encode(Buffer.concat(items.map(({ chunk }) => chunk)), done);
  }

  override _final(done: (error?: Error | null) => void): void {
    this.finish((error) => {
      if (error) done(error);
      else this.below.end(done);
    });
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.below.off('drain', this.#onDrain);
    this.below.destroy();
    done(error);
  }
}
