import type { Duplex } from 'node:stream';

/** Notices when a stream takes nothing any more of what was written to it, within `timeout` ms. */
export class WriteWatch {
  readonly #stream: Duplex;
  readonly #timeout: number;
  readonly #stalled: () => void;
  #written = 0;
  /** Of these, how many had been taken at the last look. */
  #taken = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(stream: Duplex, timeout: number, stalled: () => void) {
    this.#stream = stream;
    this.#timeout = timeout;
    this.#stalled = stalled;
  }

  /** `bytes` were written to the stream. */
  wrote(bytes: number): void {
    this.#written += bytes;
    if (this.#timer === undefined && this.#stream.writableLength > 0) this.#arm();
  }

  close(): void {
    clearTimeout(this.#timer);
  }

  #arm(): void {
    this.#taken = this.#written - this.#stream.writableLength;
    this.#timer = setTimeout(() => {
      // This side may have been busy all the time: what is ready to be written is written first.
      setImmediate(() => this.#look());
    }, this.#timeout).unref();
  }

  #look(): void {
    this.#timer = undefined;
    if (this.#stream.destroyed || this.#stream.writableLength === 0) return;
    if (this.#written - this.#stream.writableLength > this.#taken) this.#arm();
    else this.#stalled();
  }
}
