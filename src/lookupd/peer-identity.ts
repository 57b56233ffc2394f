import * as v from 'valibot';
import { ProtocolError } from '../protocol/errors.js';
import type { PeerInfo } from './registration.js';

/** As Go decodes it: a null is no value, a number for a port is whole. */
const text = v.optional(v.nullable(v.string(), ''), '');
const port = v.optional(v.nullable(v.pipe(v.number(), v.safeInteger()), 0), 0);

const Identity = v.object({
  remote_address: text,
  hostname: text,
  broadcast_address: text,
  tcp_port: port,
  http_port: port,
  version: text,
  topology_zone: text,
  topology_region: text,
});
const KEYS = new Set(Object.keys(Identity.entries));

/**
 * Reads the body of IDENTIFY. Keys are known in any case, as Go's decoder takes them; unknown ones are left out.
 * @throws ProtocolError E_BAD_BODY
 */
export function parseIdentity(body: Buffer, remoteAddress: string): PeerInfo {
  const identity = decode(body);
  if (
    identity.broadcast_address === '' ||
    identity.tcp_port === 0 ||
    identity.http_port === 0 ||
    identity.version === ''
  )
    throw new ProtocolError('E_BAD_BODY', 'IDENTIFY missing fields');
  return { ...identity, remote_address: remoteAddress };
}

function decode(body: Buffer): PeerInfo {
  try {
    const value: unknown = JSON.parse(body.toString('utf8')) ?? {};
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      throw new TypeError('the body is no JSON object');
    const fields = Object.entries(value).map(([key, field]) => [key.toLowerCase(), field] as const);
    return v.parse(Identity, Object.fromEntries(fields.filter(([key]) => KEYS.has(key))));
  } catch (cause) {
    throw new ProtocolError('E_BAD_BODY', 'IDENTIFY failed to decode JSON body', { cause });
  }
}
