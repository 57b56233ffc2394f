import { once } from 'node:events';
import { unlinkSync } from 'node:fs';
import type { AddressInfo, Server } from 'node:net';
import { connect } from 'node:net';
import { messageOf } from './errors.js';

/** Why a daemon does not listen: an address that is none, or one that cannot be listened on. */
export class ListenError extends Error {
  override readonly name = 'ListenError';
  readonly code: 'E_OPTION' | 'E_LISTEN';

  constructor(code: 'E_OPTION' | 'E_LISTEN', message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

const EVERY_IPV4 = '0.0.0.0';
const EVERY = '::';
const WITHOUT_IPV6: ReadonlySet<string> = new Set(['EAFNOSUPPORT', 'EADDRNOTAVAIL', 'EINVAL']);

/** Where to listen: a host and port, or the path of a unix socket. */
type ListenAddress = { host: string; port: number } | { path: string };

/**
 * Reads `<addr>:<port>` (an IPv6 address in brackets; no address, or 0.0.0.0, for every one), or else a path.
 * @throws ListenError E_OPTION
 */
function parseListenAddress(text: string, what: string): ListenAddress {
  const match = /^(\[[^\]]*\]|[^:/]*):(\d{1,5})$/.exec(text);
  if (match) {
    const port = Number(match[2]);
    if (port > 65535) throw new ListenError('E_OPTION', `${what} address '${text}' has a port above 65535`);
    const host = match[1]!.replace(/^\[|\]$/g, '');
    return { host: host === '' ? EVERY : host, port };
  }
  if (text.includes('/') || !text.includes(':')) {
    if (text === '') throw new ListenError('E_OPTION', `${what} address is empty`);
    return { path: text };
  }
  throw new ListenError('E_OPTION', `${what} address '${text}' is neither <addr>:<port> nor a path`);
}

/**
 * Listens, and says where: `host:port`, or the path. A unix socket that nobody answers on any more is replaced.
 * @throws ListenError E_LISTEN, saying what is in the way
 */
export async function listen(server: Server, text: string, what: string): Promise<string> {
  const address = parseListenAddress(text, what);
  if ('path' in address) await removeDeadSocket(address.path);
  try {
    await listenOn(server, address);
  } catch (cause) {
    throw new ListenError('E_LISTEN', `cannot listen on ${text} for ${what}: ${reason(cause)}`, { cause });
  }
  if ('path' in address) return address.path;
  const { address: host, port, family } = server.address() as AddressInfo;
  return family === 'IPv6' ? `[${host}]:${port}` : `${host}:${port}`;
}

/** As with Go, "every address" means those of IPv6 and of IPv4; of IPv4 alone where the machine has no IPv6. */
async function listenOn(server: Server, address: ListenAddress): Promise<void> {
  if (!('path' in address) && (address.host === EVERY_IPV4 || address.host === EVERY)) {
    try {
      return await settled(server.listen({ ...address, host: EVERY }));
    } catch (error) {
      const { code = '' } = error as NodeJS.ErrnoException;
      if (!WITHOUT_IPV6.has(code)) throw error;
      return await settled(server.listen({ ...address, host: EVERY_IPV4 }));
    }
  }
  await settled(server.listen(address));
}

async function settled(server: Server): Promise<void> {
  await Promise.race([
    once(server, 'listening'),
    once(server, 'error').then(([error]) => {
      throw error;
    }),
  ]);
}

async function removeDeadSocket(path: string): Promise<void> {
  const alive = await new Promise<boolean>((resolve) => {
    const probe = connect(path);
    probe.once('connect', () => {
      probe.destroy();
      resolve(true);
    });
    probe.once('error', (error: NodeJS.ErrnoException) => resolve(error.code !== 'ECONNREFUSED'));
  });
  if (!alive) unlinkSync(path);
}

function reason(cause: unknown): string {
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  if (code === 'EADDRINUSE') return 'the address is in use';
  if (code === 'EACCES') return 'permission denied';
  if (code === 'EADDRNOTAVAIL') return 'this machine has no such address';
  if (code === 'ENOTFOUND') return 'the host name is not known';
  return messageOf(cause);
}
