import { ProtocolError } from '../../protocol/errors.js';
import { monotonic } from '../clock.js';
import { messageOf } from '../errors.js';
import type { Logger } from '../logger.js';
import type { Applicant, AuthServers } from './auth-servers.js';
import type { Permissions } from './permissions.js';

/** What one client may do, where auth servers say so. */
export class SessionAuth {
  readonly #servers: AuthServers;
  readonly #logger: Logger;
  readonly #who: () => Omit<Applicant, 'secret'> & { readonly remoteAddress: string };
  #secret = '';
  #permissions: Permissions | undefined;
  #expiresAt = 0;

  constructor(
    servers: AuthServers,
    logger: Logger,
    who: () => Omit<Applicant, 'secret'> & { readonly remoteAddress: string },
  ) {
    this.#servers = servers;
    this.#logger = logger;
    this.#who = who;
  }

  /** What the servers said last; undefined before AUTH. */
  get permissions(): Permissions | undefined {
    return this.#permissions;
  }

  get isAuthorized(): boolean {
    return this.#permissions !== undefined && this.#permissions.count > 0;
  }

  /** What the servers said does not hold any more: {@link renew} before the next check. */
  get isStale(): boolean {
    return this.isAuthorized && monotonic() > this.#expiresAt;
  }

  /** AUTH with this secret. Rejects with the ProtocolError that the client is told. */
  async login(secret: string): Promise<Permissions> {
    this.#secret = secret;
    await this.renew();
    if (!this.isAuthorized) throw new ProtocolError('E_UNAUTHORIZED', 'AUTH no authorizations found');
    return this.#permissions!;
  }

  /** Asks again. Rejects with the ProtocolError that the client is told: not what the server said. */
  async renew(): Promise<void> {
    const { remoteAddress, ...who } = this.#who();
    try {
      this.#permissions = await this.#servers.ask({ ...who, secret: this.#secret });
    } catch (cause) {
      this.#logger.warn(`[${remoteAddress}] - AUTH failed ${messageOf(cause)}`);
      throw new ProtocolError('E_AUTH_FAILED', 'AUTH failed', { cause });
    }
    this.#expiresAt = monotonic() + this.#permissions.ttl;
  }

  /**
   * @param channel '' to publish
   * @throws ProtocolError E_AUTH_FIRST or E_UNAUTHORIZED
   */
  check(command: string, topic: string, channel: string): void {
    if (!this.#permissions) throw new ProtocolError('E_AUTH_FIRST', `AUTH required before ${command}`);
    if (this.#permissions.allows(topic, channel)) return;
    throw new ProtocolError('E_UNAUTHORIZED', `AUTH failed for ${command} on "${topic}" "${channel}"`);
  }
}
