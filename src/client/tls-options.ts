import type { SecureVersion } from 'node:tls';
import { tlsReason } from '../net/tls-reason.js';
import { OptionError } from './errors.js';

/** A PEM text, or its bytes. */
export type Pem = string | Buffer;

/** How a connection is encrypted: what of `node:tls` concerns a client of nsqd. */
export interface TlsOptions {
  /** Authorities that may have signed the broker's certificate. Default: those that Node trusts. */
  readonly ca?: Pem | readonly Pem[] | undefined;
  /** This client's certificate, with those between it and its authority; goes with `key`. Default none. */
  readonly cert?: Pem | undefined;
  readonly key?: Pem | undefined;
  /** Name that the broker's certificate must be for. Default: the host connected to. */
  readonly servername?: string | undefined;
  /** False: takes any certificate, so that nothing says who the broker is. Default true. */
  readonly rejectUnauthorized?: boolean | undefined;
  /** Default `TLSv1.2`. */
  readonly minVersion?: SecureVersion | undefined;
}

const VERSIONS: readonly unknown[] = ['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3'];

/**
 * The `tls` option with `true` and `false` resolved.
 * @throws OptionError
 */
export function tlsOption(value: unknown): TlsOptions | undefined {
  if (value === undefined || value === false) return undefined;
  if (value === true) return {};
  if (typeof value !== 'object' || value === null)
    throw new OptionError('tls must be a boolean or an object');
  const tls: { readonly [key in keyof TlsOptions]: unknown } = value;
  const { ca } = tls;
  if (!(ca === undefined || isPem(ca) || (Array.isArray(ca) && ca.every(isPem)))) {
    throw new OptionError('tls.ca must be a PEM text or Buffer, or a list of them');
  }
  for (const name of ['cert', 'key'] as const) {
    if (tls[name] !== undefined && !isPem(tls[name]))
      throw new OptionError(`tls.${name} must be a PEM text or Buffer`);
  }
  if ((tls.cert === undefined) !== (tls.key === undefined))
    throw new OptionError('tls.cert and tls.key go together');
  for (const name of ['ca', 'cert', 'key'] as const) {
    const pems: readonly unknown[] = Array.isArray(tls[name]) ? tls[name] : [tls[name]];
    if (!pems.every((pem) => pem === undefined || (isPem(pem) && pem.includes('-----BEGIN '))))
      throw new OptionError(`tls.${name} must be PEM text (-----BEGIN …), which a path is not`);
  }
  if (tls.servername !== undefined && typeof tls.servername !== 'string')
    throw new OptionError('tls.servername must be a string');
  if (tls.rejectUnauthorized !== undefined && typeof tls.rejectUnauthorized !== 'boolean')
    throw new OptionError('tls.rejectUnauthorized must be a boolean');
  if (tls.minVersion !== undefined && !VERSIONS.includes(tls.minVersion))
    throw new OptionError(`tls.minVersion must be one of ${VERSIONS.join(', ')}`);
  checkContents(value);
  return value;
}

const CERTIFICATE = /-----BEGIN (?:TRUSTED |X509 )?CERTIFICATE-----/;

/** What Node says nothing of, or not before the first connection. */
function checkContents({ ca, cert, key }: TlsOptions): void {
  const authorities = [ca ?? []].flat();
  if (!authorities.every((pem) => CERTIFICATE.test(String(pem))))
    throw new OptionError('tls.ca holds no certificate');
  if (cert === undefined || key === undefined) return;
  try {
    process.getBuiltinModule('node:tls').createSecureContext({ cert, key });
  } catch (cause) {
    const words = cause instanceof Error ? tlsReason(cause) : String(cause);
    throw new OptionError(`tls.cert and tls.key cannot be used: ${words}`, { cause });
  }
}

function isPem(value: unknown): value is Pem {
  return typeof value === 'string' || Buffer.isBuffer(value);
}
