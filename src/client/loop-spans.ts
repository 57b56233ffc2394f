import { beginConsume, type ConsumeContext, endConsume, isConsumeObserved } from './diagnostics.js';
import { NsqError } from './errors.js';
import type { Message, MessageSource } from './message.js';

/** Traces the messages that loops are at work on. */
export class LoopSpans {
  readonly #open = new Map<Message, ConsumeContext>();

  /** A loop gets the message now. */
  begin(message: Message): void {
    if (isConsumeObserved()) this.#open.set(message, beginConsume(message));
  }

  answered(message: Message, outcome: 'finish' | 'requeue'): void {
    if (this.#open.size > 0) this.#end(message, { outcome });
  }

  timedOut(message: Message): void {
    if (this.#open.has(message))
      this.#end(message, { error: new NsqError('E_TIMEOUT', `${message.id} was not answered in time`) });
  }

  /** The connection is over. */
  lost(source: MessageSource, error: NsqError): void {
    for (const message of this.#open.keys()) if (message.isFrom(source)) this.#end(message, { error });
  }

  #end(message: Message, how: Pick<ConsumeContext, 'outcome' | 'error'>): void {
    const context = this.#open.get(message);
    if (context === undefined) return;
    this.#open.delete(message);
    endConsume(Object.assign(context, how));
  }
}
