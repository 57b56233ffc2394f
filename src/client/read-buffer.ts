import type { OnReadOpts, Socket } from 'node:net';

/** Answers are short: one read has a thousand of them. */
const SIZE = 16 * 1024;

/**
 * One buffer that a socket is read into again and again, for a receiver that keeps nothing of what it is handed. A
 * buffer of its own for each read costs more than all else that is done with an answer.
 *
 *     socket ─→ buffer ─┬─ (handshake, a layer on top) ─ copied ─→ the socket's readers
 *                       └─ (once there is a receiver) ─ in place ─→ receiver
 */
export class ReadBuffer {
  readonly #bytes = Buffer.allocUnsafeSlow(SIZE);
  /** Of these, what was read last. */
  #view = this.#bytes;
  #receive: ((chunk: Buffer) => void) | undefined;

  /** For the socket that is to be read so. */
  get onread(): OnReadOpts {
    const readBuffer = this;
    return {
      buffer: this.#bytes,
      callback(this: Socket, size: number) {
        return readBuffer.#onRead(this, size);
      },
    };
  }

  /** From now on, what is read goes to `receive`, which must have done with it when it returns. */
  handTo(receive: (chunk: Buffer) => void): void {
    this.#receive = receive;
  }

  #onRead(socket: Socket, size: number): boolean {
    // Answers have the same length, mostly.
    if (this.#view.length !== size) this.#view = this.#bytes.subarray(0, size);
    // What came before and was not taken yet goes first.
    if (this.#receive === undefined || socket.readableLength > 0) return socket.push(Buffer.from(this.#view));
    this.#receive(this.#view);
    return true;
  }
}
