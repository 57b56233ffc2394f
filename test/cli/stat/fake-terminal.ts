import { EventEmitter } from 'node:events';
import type { ReadStream, WriteStream } from 'node:tty';

/** A terminal that keeps what is written to it, and on which keys are pressed by emitting `data`. */
export class FakeTerminal extends EventEmitter {
  readonly columns = 80;
  readonly rows = 24;
  readonly isTTY = true;
  raw = false;
  written = '';

  get stdout(): WriteStream {
    return this as unknown as WriteStream;
  }

  get stdin(): ReadStream {
    return this as unknown as ReadStream;
  }

  write(text: string): boolean {
    this.written += text;
    return true;
  }

  setRawMode(isRaw: boolean): this {
    this.raw = isRaw;
    return this;
  }

  resume(): void {}
  pause(): void {}
}
