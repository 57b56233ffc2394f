export { messageOf } from '../daemon/errors.js';

/** What the broker as a whole can fail with. */
export type BrokerErrorCode =
  /** An option is out of range or of the wrong kind. */
  | 'E_OPTION'
  /** An address cannot be listened on. */
  | 'E_LISTEN'
  /** The data path cannot be created, read or written. */
  | 'E_DATA_PATH'
  /** Another broker holds the data path. */
  | 'E_LOCKED'
  /** Stored data is of a newer version, or not of this program. */
  | 'E_FORMAT'
  /** A write to storage failed; what it carried is not kept. */
  | 'E_STORAGE'
  /** The topic or the disk is as full as it may be; there may be room again later. */
  | 'E_LIMIT'
  /** The broker, the topic or the channel is going away. */
  | 'E_CLOSING';

export class BrokerError extends Error {
  override readonly name = 'BrokerError';
  readonly code: BrokerErrorCode;

  constructor(code: BrokerErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
