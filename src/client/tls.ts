import { isIP, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { connect, DEFAULT_CIPHERS, type TLSSocket } from 'node:tls';
import type { Address } from './address.js';
import type { TlsOptions } from './tls-options.js';

/** As of the socket below: from so many unwritten bytes on it asks its writer to wait. Node's types do not know it. */
const BUFFER = { highWaterMark: 256 * 1024 };

/** Makes TLS of a connection. Rejects with Node's error, with the certificate's when that is not to be trusted. */
export function secure(socket: Duplex, address: Address, options: TlsOptions): Promise<TLSSocket> {
  const { servername, ca, minVersion, ...rest } = options;
  const name = servername ?? (address.kind === 'tcp' ? address.host : 'localhost');
  // OpenSSL knows versions before 1.2 only on its lowest level of security.
  const isOld = minVersion === 'TLSv1' || minVersion === 'TLSv1.1';
  return new Promise((resolve, reject) => {
    const secured = connect({
      ...rest,
      ...BUFFER,
      socket: socket as Socket,
      host: name,
      // A name in the handshake must not be an IP address (RFC 6066); the certificate is compared with `host` then.
      ...(isIP(name) === 0 && { servername: name }),
      ...(ca !== undefined && { ca: Array.isArray(ca) ? [...ca] : (ca as string | Buffer) }),
      ...(minVersion !== undefined && { minVersion }),
      ...(isOld && { ciphers: `${DEFAULT_CIPHERS}:@SECLEVEL=0` }),
    });
    secured.on('error', reject);
    secured.once('close', () => reject(new Error('the broker closed the connection')));
    secured.once('secureConnect', () => resolve(secured));
  });
}
