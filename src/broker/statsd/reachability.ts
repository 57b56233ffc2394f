import { messageOf } from '../errors.js';
import type { Logger } from '../logger.js';

const REASONS: Readonly<Record<string, string>> = {
  ENOTFOUND: 'its host name is not known',
  EAI_AGAIN: 'its host name cannot be looked up now',
  ECONNREFUSED: 'nobody listens there',
  ENETUNREACH: 'there is no way to its network',
  EHOSTUNREACH: 'there is no way to its host',
  EMSGSIZE: 'a packet is too large (--statsd-udp-packet-size)',
};

/** Whether pushes get away, in one log line for each change. That they arrive is more than UDP can tell. */
export class Reachability {
  readonly #address: string;
  readonly #logger: Logger;
  #state: 'new' | 'well' | 'failing' = 'new';
  #failedSince = false;
  /** How many pushes failed on their way. */
  failures = 0;

  constructor(address: string, logger: Logger) {
    this.#address = address;
    this.#logger = logger;
  }

  /** There is a socket for a push. */
  begun(): void {
    this.#failedSince = false;
    if (this.#state !== 'new') return;
    this.#state = 'well';
    this.#logger.info(`STATSD: pushing stats to ${this.#address}`);
  }

  /** A push is over. */
  ended(): void {
    if (this.#failedSince || this.#state !== 'failing') return;
    this.#state = 'well';
    this.#logger.info(`STATSD: pushing stats to ${this.#address} again`);
  }

  /** Something kept a push, or a packet of it, from getting away. */
  failed(error: unknown): void {
    if (!this.#failedSince) this.failures++;
    this.#failedSince = true;
    if (this.#state === 'failing') return;
    this.#state = 'failing';
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    const reason = REASONS[code] ?? messageOf(error);
    this.#logger.warn(
      `STATSD: cannot push stats to ${this.#address}: ${reason}; trying again at every interval`,
    );
  }
}
