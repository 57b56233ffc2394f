import { LookupReader } from './lookup-reader.js';

/** What a lookupd sends: `u32 size | data`, one for each command, in their order. */

export function encodeLookupAnswer(data: Buffer | string): Buffer {
  const body = typeof data === 'string' ? Buffer.from(data) : data;
  const answer = Buffer.allocUnsafe(4 + body.length);
  body.copy(answer, answer.writeUInt32BE(body.length, 0));
  return answer;
}

/** A lookupd's answer: what it said, or why it refused. After every refusal it closes the connection. */
export type LookupAnswer =
  | { readonly ok: true; readonly text: string }
  | { readonly ok: false; readonly code: string; readonly text: string };

/** Reads a lookupd's answers from its bytes, however they arrive. */
export class LookupAnswerDecoder {
  readonly #reader = new LookupReader();

  /**
   * Takes the next bytes; gives the answers that they complete, in order.
   * @throws ProtocolError E_BAD_BODY when the bytes are no answer; the decoder is of no use after that
   */
  push(chunk: Buffer): LookupAnswer[] {
    this.#reader.push(chunk);
    const answers: LookupAnswer[] = [];
    for (let data = this.#reader.block(); data; data = this.#reader.block()) answers.push(parseAnswer(data));
    return answers;
  }
}

function parseAnswer(data: Buffer): LookupAnswer {
  const text = data.toString('utf8');
  const code = /^E_[A-Z_]+/.exec(text)?.[0];
  return code === undefined ? { ok: true, text } : { ok: false, code, text };
}
