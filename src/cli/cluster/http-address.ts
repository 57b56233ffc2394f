import { UsageError } from '../errors.js';

/** Where an nsqd or a lookupd answers HTTP. */
export interface HttpAddress {
  /** `host:port`, `https://host:port` or the socket's path: for people, and the same for the same place. */
  readonly text: string;
  /** `http://host:port` or `https://host:port` */
  readonly origin: string;
  readonly socketPath?: string;
}

const MISSING_PORT = /^(\[[^\]]*\]|[^:]*):?$/;

/**
 * Reads `host:port` (an IPv6 address in brackets), `http://…`, `https://…` or the path of a unix socket. Throws
 * {@link UsageError}, naming the flag.
 */
export function parseHttpAddress(flag: string, text: string): HttpAddress {
  if (text.startsWith('/')) return { text, origin: 'http://localhost', socketPath: text };
  const hasScheme = /^https?:\/\//.test(text);
  // As in Go, a port alone is one of this machine.
  const local = text.startsWith(':') ? `127.0.0.1${text}` : text;
  const url = readUrl(hasScheme ? text : `http://${local}`);
  const rest = url && `${url.username}${url.password}${url.search}${url.hash}`;
  if (!url || rest !== '' || url.pathname !== '/' || url.port === '0' || url.hostname === '') {
    throw invalid(flag, text, 'it is not host:port, with an IPv6 address in brackets');
  }
  // Without a scheme, port 80 is meant least of all.
  if (!hasScheme && MISSING_PORT.test(text)) throw invalid(flag, text, 'the port is missing');
  const port = url.port || (url.protocol === 'https:' ? '443' : '80');
  const place = `${url.hostname}:${port}`;
  return url.protocol === 'https:'
    ? { text: `https://${place}`, origin: `https://${place}` }
    : { text: place, origin: `http://${place}` };
}

/** As a lookupd tells it; undefined when it is no such place. */
export function httpAddressOf(host: string, port: number): HttpAddress | undefined {
  try {
    return parseHttpAddress('', host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`);
  } catch {
    return undefined;
  }
}

function readUrl(text: string): URL | undefined {
  return URL.canParse(text) ? new URL(text) : undefined;
}

function invalid(flag: string, text: string, reason: string): UsageError {
  return new UsageError(`invalid value for --${flag}: ${JSON.stringify(text)}: ${reason}`, {
    hint: `As in --${flag} 127.0.0.1:${flag.startsWith('lookupd') ? 4161 : 4151}`,
  });
}
