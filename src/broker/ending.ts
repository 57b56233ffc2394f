import type { BrokerError } from './errors.js';

/** The end of a broker: by `close()`, or because it had to stop by itself. */
export class Ending {
  /** Why it has to stop; undefined if it does not. */
  cause: BrokerError | undefined;
  readonly promise: Promise<void>;
  #settle: () => void = () => {};

  constructor() {
    this.promise = new Promise((resolve, reject) => {
      this.#settle = () => (this.cause ? reject(this.cause) : resolve());
    });
    // Who does not ask how it ended need not be told.
    this.promise.catch(() => {});
  }

  /** It is closed. */
  readonly reached = (): void => this.#settle();
}
