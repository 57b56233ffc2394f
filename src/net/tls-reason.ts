/** What went wrong with TLS, in OpenSSL's words, without the places in its code that its messages are full of. */
export function tlsReason(error: Error): string {
  const reason = 'reason' in error ? error.reason : undefined;
  const code = 'code' in error ? String(error.code) : '';
  return /^ERR_(?:SSL|OSSL)/.test(code) && typeof reason === 'string' && reason !== ''
    ? reason
    : error.message;
}
