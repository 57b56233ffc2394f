import { BrokerError } from '../errors.js';

/** Where a lookupd listens for brokers. */
export type LookupdAddress = { readonly host: string; readonly port: number } | { readonly path: string };

/**
 * Reads `<host>:<port>` (an IPv6 address in brackets; no host at all for this machine), or the path of a unix socket.
 * @throws BrokerError E_OPTION
 */
export function parseLookupdAddress(text: string): LookupdAddress {
  if (text.includes('/')) return { path: text };
  const match = /^(?:\[([^\]\s]+)\]|([^:\s[\]]*)):(\d{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  if (!match || port < 1 || port > 65_535)
    throw new BrokerError('E_OPTION', `lookupd address '${text}' is not <host>:<port>`);
  return { host: match[1] ?? (match[2] || 'localhost'), port };
}
