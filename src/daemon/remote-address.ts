import type { Socket } from 'node:net';

/** Where a connection comes from, as Go writes it: `host:port`, an IPv6 address in brackets; `@` for a unix socket. */
export function remoteAddressOf({ remoteAddress, remotePort }: Socket): string {
  if (remoteAddress === undefined) return '@';
  const host = remoteAddress.startsWith('::ffff:') ? remoteAddress.slice(7) : remoteAddress;
  return host.includes(':') ? `[${host}]:${remotePort}` : `${host}:${remotePort}`;
}
