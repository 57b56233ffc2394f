import type { Socket } from 'node:net';
import {
  createSecureContext,
  DEFAULT_CIPHERS,
  type SecureContext,
  type SecureContextOptions,
  type SecureVersion,
  type TLSSocket,
} from 'node:tls';
import { BrokerError, messageOf } from '../errors.js';
import type { BrokerSettings } from '../settings.js';
import { secure } from './handshake.js';
import { readPem, rootCa } from './tls-settings.js';

const VERSIONS: Readonly<Record<BrokerSettings['tlsMinVersion'], SecureVersion>> = {
  '': 'TLSv1',
  'tls1.0': 'TLSv1',
  'tls1.1': 'TLSv1.1',
  'tls1.2': 'TLSv1.2',
  'tls1.3': 'TLSv1.3',
};

/** What the broker shows its clients, and asks of them. Loaded where TLS is offered only: node:tls takes its time. */
export class ServerTls {
  readonly options: SecureContextOptions;
  /** `require`: clients need some certificate; `require-verify`: one that an authority signed. */
  readonly clientAuth: BrokerSettings['tlsClientAuthPolicy'];
  readonly #context: SecureContext;

  /**
   * Reads the certificate and its key.
   * @throws BrokerError E_OPTION, naming the file
   */
  constructor(settings: BrokerSettings) {
    const { tlsCert, tlsKey, tlsClientAuthPolicy } = settings;
    const minVersion = VERSIONS[settings.tlsMinVersion];
    this.clientAuth = tlsClientAuthPolicy;
    this.options = {
      cert: readPem('tlsCert', tlsCert),
      key: readPem('tlsKey', tlsKey),
      minVersion,
      // OpenSSL knows versions before 1.2 only on its lowest level of security.
      ...(minVersion < 'TLSv1.2' ? { ciphers: `${DEFAULT_CIPHERS}:@SECLEVEL=0` } : {}),
      ...rootCa(settings),
    };
    try {
      this.#context = createSecureContext(this.options);
    } catch (cause) {
      const words = `${tlsCert} and ${tlsKey} cannot be used for TLS: ${messageOf(cause)}`;
      throw new BrokerError('E_OPTION', words, { cause });
    }
  }

  /**
   * Makes TLS of a connection from which `first` was read already. `done` is called once: when the handshake is done
   * and the client's certificate is as the policy wants it, or with what went wrong; the connection is closed then.
   */
  secure(socket: Socket, first: Buffer, done: (error: Error | undefined, secured: TLSSocket) => void): void {
    const { options: contextOptions, clientAuth } = this;
    secure(socket, first, { context: this.#context, contextOptions, clientAuth }, done);
  }
}
