import { type ErrorCode, ProtocolError } from '../../protocol/errors.js';
import { encodeFrame, FrameType } from '../../protocol/frame.js';
import type { CommitTicket } from '../turn.js';

const OK = encodeFrame(FrameType.Response, 'OK');

/** A reply whose turn has not come: so many OKs that wait for a commit, or a frame behind such. */
interface Waiting {
  ticket: CommitTicket | undefined;
  count: number;
  code: ErrorCode;
  frame: Buffer | undefined;
}

export interface ReplySink {
  send(frame: Buffer): void;
  /** Messages that the client published are not kept. */
  failed(error: ProtocolError): void;
}

/** Keeps replies in the order of their commands, although some wait for their messages to be written. */
export class Replies {
  readonly #sink: ReplySink;
  #waiting: Waiting[] = [];

  constructor(sink: ReplySink) {
    this.#sink = sink;
  }

  get pending(): boolean {
    return this.#waiting.length > 0;
  }

  /** Sends a frame as soon as all before it are sent. */
  reply(frame: Buffer): void {
    if (this.#waiting.length === 0) this.#sink.send(frame);
    else this.#waiting.push({ ticket: undefined, count: 0, code: 'E_INVALID', frame });
  }

  ok(): void {
    this.reply(OK);
  }

  /** Says OK once the messages are kept, or `code` if they are not. */
  okWhen(ticket: CommitTicket, code: ErrorCode): void {
    const last = this.#waiting.at(-1);
    if (last && last.ticket === ticket && last.code === code) {
      last.count++;
      return;
    }
    this.#waiting.push({ ticket, count: 1, code, frame: undefined });
    ticket.whenSettled(() => this.#advance());
  }

  clear(): void {
    this.#waiting = [];
  }

  #advance(): void {
    let done = 0;
    for (const { ticket, count, code, frame } of this.#waiting) {
      if (ticket && !ticket.settled) break;
      done++;
      if (frame) this.#sink.send(frame);
      else if (ticket?.error) {
        this.#waiting = [];
        const words = `${code.slice(2).replace('_FAILED', '')} failed ${ticket.error.message}`;
        this.#sink.failed(new ProtocolError(code, words, { cause: ticket.error }));
        return;
      } else for (let i = 0; i < count; i++) this.#sink.send(OK);
    }
    this.#waiting.splice(0, done);
  }
}
