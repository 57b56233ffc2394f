import type { TLSSocket } from 'node:tls';

/** A client's TLS in `/stats`; names and order of the fields are nsqd's. */
export interface TlsStats {
  tls: boolean;
  tls_cipher_suite: string;
  tls_version: string;
  tls_negotiated_protocol: string;
  tls_negotiated_protocol_is_mutual: boolean;
}

const PLAIN: TlsStats = {
  tls: false,
  tls_cipher_suite: '',
  tls_version: '',
  tls_negotiated_protocol: '',
  tls_negotiated_protocol_is_mutual: false,
};

/** The names that Go gives versions of TLS in nsqd's statistics. */
const VERSIONS: Readonly<Record<string, string>> = {
  TLSv1: 'TLS1.0',
  'TLSv1.1': 'TLS1.1',
  'TLSv1.2': 'TLS1.2',
  'TLSv1.3': 'TLS1.3',
};

export function tlsStats(stream: TLSSocket | undefined): TlsStats {
  if (!stream) return PLAIN;
  const version = stream.getProtocol() ?? '';
  return {
    tls: true,
    tls_cipher_suite: stream.getCipher()?.standardName ?? '',
    tls_version: VERSIONS[version] ?? version,
    tls_negotiated_protocol: stream.alpnProtocol || '',
    tls_negotiated_protocol_is_mutual: true,
  };
}

/** The name in the certificate that the client showed; '' for none. */
export function commonNameOf(stream: TLSSocket | undefined): string {
  const name = stream?.getPeerCertificate().subject?.CN as string | readonly string[] | undefined;
  return (Array.isArray(name) ? name[0] : (name as string | undefined)) ?? '';
}
