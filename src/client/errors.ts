import type { ErrorCode } from '../protocol/errors.js';
import { isFatalCode } from '../protocol/errors.js';

/** What every failure of the client library is: `code` is stable, `cause` is what lies behind it. */
export class NsqError<Code extends string = string> extends Error {
  override readonly name: string = 'NsqError';
  readonly code: Code;

  constructor(code: Code, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** An option is missing, of the wrong type or out of range. */
export class OptionError extends NsqError<'E_OPTION'> {
  override readonly name = 'OptionError';

  constructor(message: string, options?: ErrorOptions) {
    super('E_OPTION', message, options);
  }
}

/**
 * - `E_CONNECT`: no connection could be made; `cause` is the system's error
 * - `E_CONNECT_TIMEOUT`: connection and handshake took longer than `connectTimeout`
 * - `E_HANDSHAKE`: what answered is no nsqd
 * - `E_TLS`: no TLS with this broker; `cause` says what is wrong, with its certificate perhaps
 * - `E_AUTH_REQUIRED`: the broker wants AUTH, and there is no `authSecret`
 * - `E_CONNECTION_LOST`: the connection ended before its time
 * - `E_PROTOCOL`: the peer sent what is no frame or message
 * - `E_DEAD_PEER`: nothing came for `readTimeout`
 * - `E_CLOSED`: this side closed it
 * - `E_NOT_CONNECTED`: there is none to that address
 */
export type ConnectionErrorCode =
  | 'E_CONNECT'
  | 'E_CONNECT_TIMEOUT'
  | 'E_HANDSHAKE'
  | 'E_TLS'
  | 'E_AUTH_REQUIRED'
  | 'E_CONNECTION_LOST'
  | 'E_PROTOCOL'
  | 'E_DEAD_PEER'
  | 'E_CLOSED'
  | 'E_NOT_CONNECTED';

/** A connection to an nsqd failed or ended. `address` says which. */
export class ConnectionError extends NsqError<ConnectionErrorCode> {
  override readonly name = 'ConnectionError';
  readonly address: string;

  constructor(code: ConnectionErrorCode, address: string, message: string, options?: ErrorOptions) {
    super(code, `${address}: ${message}`, options);
    this.address = address;
  }
}

/**
 * - `E_LOOKUP`: a lookupd gave no answer, or none that makes sense
 * - `E_CLOSED`: this side closed, or asks it no more
 * - `E_NOT_CONNECTED`: it was not asked before
 */
export type LookupErrorCode = 'E_LOOKUP' | 'E_CLOSED' | 'E_NOT_CONNECTED';

/** A lookupd could not be asked. `address` says which. */
export class LookupError extends NsqError<LookupErrorCode> {
  override readonly name = 'LookupError';
  readonly address: string;

  constructor(code: LookupErrorCode, address: string, message: string, options?: ErrorOptions) {
    super(code, `${address}: ${message}`, options);
    this.address = address;
  }
}

/** The broker refused a command. `code` is its own: {@link ErrorCode}, or a newer one. */
export class BrokerError extends NsqError<ErrorCode | (string & {})> {
  override readonly name = 'BrokerError';
  readonly address: string;

  /** @param line the error frame's data: the code, and mostly a blank and some words */
  constructor(address: string, line: string) {
    super(line.split(' ', 1)[0] || 'E_UNKNOWN', `${address}: ${line.trim() || 'an error without a word'}`);
    this.address = address;
  }

  /** Whether the broker ends the connection with it. */
  get fatal(): boolean {
    return isFatalCode(this.code);
  }
}

/**
 * - `E_QUEUE_FULL`: the producer's bounds are reached; wait for `ready()`
 * - `E_TIMEOUT`, `E_ABORTED`: the call's time-out passed, or its signal was aborted (`cause` is its reason)
 * - `E_CONNECTION_LOST`: the connection ended before the answer
 * - `E_CLOSED`: the producer is closed
 * - every other one: the broker's code, or the one it would have used for what was found wrong here
 */
export type PublishErrorCode =
  | 'E_QUEUE_FULL'
  | 'E_TIMEOUT'
  | 'E_ABORTED'
  | 'E_CONNECTION_LOST'
  | 'E_CLOSED'
  | ErrorCode
  | (string & {});

/** A message was not published, or it is not known whether it was. */
export class PublishError extends NsqError<PublishErrorCode> {
  override readonly name = 'PublishError';
  /** False: the broker does not have the message. True: it may have it; publishing again may double it. */
  readonly mayHaveArrived: boolean;

  constructor(code: PublishErrorCode, message: string, mayHaveArrived: boolean, options?: ErrorOptions) {
    super(code, message, options);
    this.mayHaveArrived = mayHaveArrived;
  }
}
