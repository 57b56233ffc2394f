import { readFileSync } from 'node:fs';
import { BrokerError, messageOf } from '../errors.js';
import type { BrokerSettings } from '../settings.js';

/** Which clients are refused without TLS. */
export interface TlsRequirement {
  readonly tcp: boolean;
  readonly http: boolean;
}

/** As nsqd has it, a policy for certificates requires TLS, and `tcp-https` leaves plain HTTP open. */
export function tlsRequirement({ tlsRequired, tlsClientAuthPolicy }: BrokerSettings): TlsRequirement {
  if (tlsRequired === 'tcp-https') return { tcp: true, http: false };
  const isRequired = ['true', '1', 't'].includes(tlsRequired) || tlsClientAuthPolicy !== '';
  return { tcp: isRequired, http: isRequired };
}

/**
 * Whether TLS is offered: there are a certificate and its key.
 * @throws BrokerError E_OPTION when there is one of them, or none although TLS is required
 */
export function offersTls(settings: BrokerSettings): boolean {
  const { tlsCert, tlsKey } = settings;
  if (tlsCert === '' && tlsKey === '') {
    if (!tlsRequirement(settings).tcp) return false;
    throw new BrokerError('E_OPTION', 'TLS cannot be required of clients without tlsCert and tlsKey');
  }
  if (tlsCert === '' || tlsKey === '') throw new BrokerError('E_OPTION', 'tlsCert and tlsKey go together');
  return true;
}

/**
 * The authorities of `--tls-root-ca-file`, as an option of `node:tls`; empty without that.
 * @throws BrokerError E_OPTION
 */
export function rootCa({ tlsRootCaFile }: BrokerSettings): { ca?: Buffer } {
  if (tlsRootCaFile === '') return {};
  const ca = readPem('tlsRootCaFile', tlsRootCaFile);
  if (!ca.includes('-----BEGIN CERTIFICATE-----'))
    throw new BrokerError('E_OPTION', `tlsRootCaFile: ${tlsRootCaFile} holds no certificate`);
  return { ca };
}

/** @throws BrokerError E_OPTION */
export function readPem(option: string, path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (cause) {
    throw new BrokerError('E_OPTION', `${option}: ${messageOf(cause)}`, { cause });
  }
}
