import type { BrokerError, ConnectionError } from './errors.js';

/** What happens to a client's connections. `address` is the nsqd's, in normal form. */
export interface LinkEvents {
  /** A connection is ready for use. */
  connect: [address: string];
  /** A connection that was ready has ended. `E_CLOSED` when this side ended it. */
  disconnect: [address: string, error: BrokerError | ConnectionError];
  /** No connection now; the next attempt comes after `delay` ms. */
  retry: [address: string, error: BrokerError | ConnectionError, delay: number];
}
