/**
 * - `E_UNREACHABLE`: no connection to the target
 * - `E_TIMEOUT`: no outcome in time
 * - `E_LOST`: the connection ended before the outcome
 * - `E_REFUSED`: the target does not take this message, or not now: an HTTP status, nsqd's error
 */
export type DeliveryErrorCode = 'E_UNREACHABLE' | 'E_TIMEOUT' | 'E_LOST' | 'E_REFUSED';

interface DeliveryErrorOptions extends ErrorOptions {
  readonly aboutMessage?: boolean;
}

/** A target has not taken a message, or it is not known whether it has. */
export class DeliveryError extends Error {
  override readonly name = 'DeliveryError';
  readonly code: DeliveryErrorCode;
  /** The message is at fault, not the target. */
  readonly aboutMessage: boolean;

  constructor(
    code: DeliveryErrorCode,
    message: string,
    { aboutMessage = false, ...options }: DeliveryErrorOptions = {},
  ) {
    super(message, options);
    this.code = code;
    this.aboutMessage = aboutMessage;
  }

  /** The target surely does not have the message: another one may get it without doubling it. */
  get isUnsent(): boolean {
    return this.code === 'E_UNREACHABLE';
  }
}
