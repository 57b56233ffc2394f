import { isIP } from 'node:net';
import { OptionError } from './errors.js';

/** Where an nsqd listens; `text` is the normal form, the same for the same place. */
export type Address =
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number; readonly text: string }
  | { readonly kind: 'unix'; readonly path: string; readonly text: string };

const HOST_PORT = /^(?:\[(?<ip6>[0-9a-fA-F:.]+(?:%[\w.-]+)?)\]|(?<host>[^\s:[\]/]*)):(?<port>\d{1,5})$/;
const HOST = /^(?:\[[0-9a-fA-F:.]+\]|[^\s:[\]/]+):?$/;
/** As in Go, a port alone is one of this machine. */
const THIS_MACHINE = '127.0.0.1';

/**
 * Reads `host:port`, `[IPv6]:port`, `:port` or the path of a unix socket (anything with a slash).
 * @throws OptionError when it is none of these
 */
export function parseAddress(text: string): Address {
  // From JavaScript anything may come.
  const given: unknown = text;
  const isText = typeof given === 'string';
  if (isText && text.includes('/') && !text.includes('://')) return { kind: 'unix', path: text, text };
  const groups = isText ? HOST_PORT.exec(text)?.groups : undefined;
  const port = Number(groups?.port);
  const host = groups?.ip6 ?? (groups?.host === '' ? THIS_MACHINE : groups?.host);
  if (host === undefined || port < 1 || port > 65_535) {
    const shown = isText ? JSON.stringify(text) : String(given);
    throw new OptionError(`address ${shown} ${addressProblem(isText ? text : '', host !== undefined)}`);
  }
  return {
    kind: 'tcp',
    host,
    port,
    text: groups?.ip6 === undefined ? `${host}:${port}` : `[${host}]:${port}`,
  };
}

function addressProblem(text: string, hasPort: boolean): string {
  if (hasPort) return 'has a port that is not between 1 and 65535';
  if (HOST.test(text)) return `has no port, as in ${JSON.stringify(text.replace(/:?$/, ':4150'))}`;
  if (text.includes('://')) return 'has a scheme: host:port alone is meant';
  return 'is not host:port (an IPv6 address in brackets) or a socket path';
}

/** Where a connection starts: what of it is not left to the system. */
export interface LocalAddress {
  readonly localAddress?: string;
  readonly localPort?: number;
}

const LOCAL = /^(?:\[(?<ip6>[0-9a-fA-F:.]+(?:%[\w.-]+)?)\]|(?<host>[^\s:[\]/]*))(?::(?<port>\d{1,5}))?$/;

/** Reads `IP:port`, `IP`, `:port` or nothing; `localhost` is 127.0.0.1. @throws OptionError when it is none of these */
export function parseLocalAddress(text: string): LocalAddress {
  const groups = LOCAL.exec(text)?.groups;
  const given = groups?.ip6 ?? groups?.host ?? '';
  const host = given === 'localhost' ? '127.0.0.1' : given;
  const port = Number(groups?.port ?? 0);
  if (!groups || port > 65_535 || (host !== '' && isIP(host) === 0)) {
    throw new OptionError(`localAddress ${JSON.stringify(text)} is not IP:port, IP or :port`);
  }
  return { ...(host !== '' && { localAddress: host }), ...(port > 0 && { localPort: port }) };
}

/** One address or several, as a list. @throws OptionError when it is neither a text nor a list */
export function addressList(addresses: string | readonly string[]): readonly string[] {
  if (typeof addresses === 'string') return [addresses];
  if (Array.isArray(addresses)) return addresses;
  throw new OptionError(`addresses must be a string or a list of them, not ${String(addresses)}`);
}

/** One address or several, doubles left out. @throws OptionError when there is none */
export function parseAddresses(addresses: string | readonly string[]): readonly Address[] {
  const list = addressList(addresses);
  if (list.length === 0) throw new OptionError('at least one nsqd address is needed');
  const distinct = new Map<string, Address>();
  for (const text of list) {
    const address = parseAddress(text);
    distinct.set(address.text, address);
  }
  return [...distinct.values()];
}
