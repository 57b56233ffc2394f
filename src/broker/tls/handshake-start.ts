/** How long a client has for its handshake, in ms, as with nsqd. */
export const HANDSHAKE_TIMEOUT = 5000;
/** The first byte of a TLS handshake; whatever else comes first is no TLS. */
const HANDSHAKE_RECORD = 0x16;

export function looksLikeTls(chunk: Buffer): boolean {
  return chunk[0] === HANDSHAKE_RECORD;
}
