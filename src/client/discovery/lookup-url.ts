import { addressList } from '../address.js';
import { OptionError } from '../errors.js';

/** Where a lookupd answers a question. */
export interface LookupUrl {
  /** The lookupd's `host:port`, for people and events. */
  readonly text: string;
  readonly url: URL;
}

const DEFAULT_PORTS: ReadonlyMap<string, number> = new Map([
  ['http:', 80],
  ['https:', 443],
]);

/** Without a scheme, port 80 is meant least of all. */
const MISSING_PORT = /^(?:\[[^\]]*\]|[^:/[\]]+):?(?=\/(?!\/)|$)/;

/** What an address names before its host: who asks. */
const CREDENTIALS = /(?<=:\/\/)[^/@]*@/;

/**
 * Reads `host:port`, `http://host:port` or `https://host:port`, the latter also with `user:password@` before the host.
 * @throws OptionError when it is none of these
 */
function parseUrl(text: string): LookupUrl {
  // From JavaScript anything may come.
  const given: unknown = text;
  const url = typeof given === 'string' ? parse(withHost(text)) : undefined;
  if (typeof given === 'string' && MISSING_PORT.test(given)) {
    const example = given.replace(MISSING_PORT, (host) => `${host.replace(/:$/, '')}:4161`);
    throw new OptionError(
      `lookupd address ${JSON.stringify(given)} has no port, as in ${JSON.stringify(example)}`,
    );
  }
  const port = DEFAULT_PORTS.get(url?.protocol ?? '');
  if (!url || port === undefined || url.search !== '' || url.hash !== '') {
    const shown = typeof given === 'string' ? JSON.stringify(given.replace(CREDENTIALS, '')) : String(given);
    throw new OptionError(`lookupd address ${shown} is not host:port, http://host:port or https://host:port`);
  }
  return { text: url.port === '' ? `${url.hostname}:${port}` : url.host, url };
}

/** As in Go, a port alone is one of this machine. */
function withHost(text: string): string {
  if (text.includes('://')) return text;
  return text.startsWith(':') ? `http://127.0.0.1${text}` : `http://${text}`;
}

function parse(text: string): URL | undefined {
  return URL.canParse(text) ? new URL(text) : undefined;
}

/** Where one answers who has `topic`. @throws OptionError */
export function lookupUrl(address: string, topic: string): LookupUrl {
  const parsed = parseUrl(address);
  const { url } = parsed;
  if (url.pathname === '/') url.pathname = '/lookup';
  url.searchParams.set('topic', topic);
  return parsed;
}

/** Where one answers which nsqds there are. @throws OptionError */
export function nodesUrl(address: string): LookupUrl {
  const parsed = parseUrl(address);
  const { url } = parsed;
  if (url.pathname === '/' || url.pathname === '/lookup') url.pathname = '/nodes';
  return parsed;
}

/** Those of one address or several, doubles left out. @throws OptionError */
export function distinctUrls(
  addresses: string | readonly string[],
  urlOf: (address: string) => LookupUrl,
): readonly LookupUrl[] {
  const urls = addressList(addresses).map(urlOf);
  return [...new Map(urls.map((one) => [one.url.href, one])).values()];
}
