/** Error codes that nsqd sends in an error frame (TCP protocol specification, and what the daemon is seen to send). */
export type ErrorCode =
  | 'E_INVALID'
  | 'E_BAD_PROTOCOL'
  | 'E_BAD_BODY'
  | 'E_BAD_TOPIC'
  | 'E_BAD_CHANNEL'
  | 'E_BAD_MESSAGE'
  | 'E_IDENTIFY_FAILED'
  | 'E_SUB_FAILED'
  | 'E_PUB_FAILED'
  | 'E_MPUB_FAILED'
  | 'E_DPUB_FAILED'
  | 'E_FIN_FAILED'
  | 'E_REQ_FAILED'
  | 'E_TOUCH_FAILED'
  | 'E_AUTH_FIRST'
  | 'E_AUTH_FAILED'
  | 'E_AUTH_DISABLED'
  | 'E_AUTH_ERROR'
  | 'E_UNAUTHORIZED';

/** The codes after which the connection goes on; after every other one the daemon closes it. */
const SURVIVABLE: ReadonlySet<string> = new Set(['E_FIN_FAILED', 'E_REQ_FAILED', 'E_TOUCH_FAILED']);

export function isFatalCode(code: string): boolean {
  return !SURVIVABLE.has(code);
}

/** A refusal of what a peer sent. `code` says what was wrong; `fatal` whether the connection ends with it. */
export class ProtocolError extends Error {
  override readonly name = 'ProtocolError';
  readonly code: ErrorCode;

  constructor(code: ErrorCode, detail: string, options?: ErrorOptions) {
    super(detail, options);
    this.code = code;
  }

  get fatal(): boolean {
    return isFatalCode(this.code);
  }

  /** What goes into the error frame: the code, a blank, the words. */
  get line(): string {
    return this.message === '' ? this.code : `${this.code} ${this.message}`;
  }
}
