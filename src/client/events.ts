import type { BrokerError, ConnectionError, LookupError } from './errors.js';
import type { Message } from './message.js';

/** What happens to a client's connections. `address` is the nsqd's, in normal form. */
export interface LinkEvents {
  /** A connection is ready for use. */
  connect: [address: string];
  /** A connection that was ready has ended. `E_CLOSED` when this side ended it. */
  disconnect: [address: string, error: BrokerError | ConnectionError];
  /** No connection now; the next attempt comes after `delay` ms. */
  retry: [address: string, error: BrokerError | ConnectionError, delay: number];
}

export interface ConsumerEvents extends LinkEvents {
  /** RDY was sent: so many messages may be in flight on that connection. */
  rdy: [address: string, count: number];
  /**
   * A message was requeued, and all connections stop for `delay` ms; then one message at a time is let through. `level`
   * says how far it has come; 0: it is over.
   */
  backoff: [level: number, delay: number];
  /** A message is being finished. */
  finish: [message: Message];
  /** A message is being requeued, for `delay` ms. */
  requeue: [message: Message, delay: number];
  /** A message was handed out more than `maxAttempts` times: it is not handed out again. */
  giveUp: [message: Message];
  /** A message was not answered in time: its broker has taken it back, and hands it out again. */
  timeout: [message: Message];
  /** The broker refused an answer to a message (E_FIN_FAILED, E_REQ_FAILED, E_TOUCH_FAILED); all goes on. */
  refused: [error: BrokerError];
  /** A handler of `run()` threw, or a message could not be given up; it was requeued. */
  handlerError: [error: unknown, message: Message];
  /** A lookupd has answered; `nsqds` are all that it lists. */
  lookup: [lookupd: string, nsqds: readonly string[]];
  /** A lookupd gave no answer, or none that makes sense; it is asked again after `delay` ms. */
  lookupFailed: [lookupd: string, error: LookupError, delay: number];
  /** `close()` is through. */
  close: [];
}
