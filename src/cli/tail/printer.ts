import type { Writable } from 'node:stream';
import type { MessageFormat, ShownMessage } from './message-format.js';

export interface PrintableMessage extends ShownMessage {
  finish(): void;
  touch(): void;
}

/** Well below the shortest usual message timeout. */
const TOUCH_MS = 15_000;

/**
 * Prints messages and finishes each once its bytes are with the operating system. While a write is under way the next
 * messages gather and go as one; a reader that does not read therefore fills nothing but `--max-in-flight`, and its
 * messages are touched so that they do not come twice.
 *
 *     message ─ #gathered ─ one write ─ #writing ─ written ─ FIN
 */
export class Printer {
  readonly #out: Writable;
  readonly #format: MessageFormat;
  #chunks: Buffer[] = [];
  #gathered: PrintableMessage[] = [];
  #writing: readonly PrintableMessage[] = [];
  #scheduled = false;
  #idle: (() => void)[] = [];
  readonly #toucher: NodeJS.Timeout;

  constructor(out: Writable, format: MessageFormat) {
    this.#out = out;
    this.#format = format;
    this.#toucher = setInterval(() => this.#touch(), TOUCH_MS);
    this.#toucher.unref();
  }

  /** Messages printed and not finished. */
  get inFlight(): number {
    return this.#gathered.length + this.#writing.length;
  }

  print(message: PrintableMessage): void {
    this.#chunks.push(...this.#format(message));
    this.#gathered.push(message);
    this.#schedule();
  }

  /** Resolves when all that was printed is written and finished. */
  flushed(): Promise<void> {
    if (this.inFlight === 0) return Promise.resolve();
    return new Promise((resolve) => this.#idle.push(resolve));
  }

  close(): void {
    clearInterval(this.#toucher);
  }

  #schedule(): void {
    if (this.#scheduled || this.#writing.length > 0) return;
    this.#scheduled = true;
    setImmediate(() => this.#write());
  }

  #write(): void {
    this.#scheduled = false;
    this.#writing = this.#gathered;
    const bytes = Buffer.concat(this.#chunks);
    this.#gathered = [];
    this.#chunks = [];
    this.#out.write(bytes, (error) => this.#written(error));
  }

  #written(error: Error | null | undefined): void {
    // The stream's own 'error' event ends the command; what was not written must come again.
    if (error) return;
    for (const message of this.#writing) message.finish();
    this.#writing = [];
    if (this.#gathered.length > 0) this.#schedule();
    else for (const resolve of this.#idle.splice(0)) resolve();
  }

  #touch(): void {
    for (const message of [...this.#writing, ...this.#gathered]) message.touch();
  }
}
