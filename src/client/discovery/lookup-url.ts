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

/** Reads `host:port`, `http://host:port` or `https://host:port`. @throws OptionError when it is none of these */
function parseLookupUrl(text: string): LookupUrl {
  // From JavaScript anything may come.
  const given: unknown = text;
  const url = typeof given === 'string' ? parse(text.includes('://') ? text : `http://${text}`) : undefined;
  const port = DEFAULT_PORTS.get(url?.protocol ?? '');
  if (!url || port === undefined || url.username !== '' || url.search !== '' || url.hash !== '') {
    const shown = typeof given === 'string' ? JSON.stringify(given) : String(given);
    throw new OptionError(`lookupd address ${shown} is not host:port, http://host:port or https://host:port`);
  }
  return { text: url.port === '' ? `${url.hostname}:${port}` : url.host, url };
}

function parse(text: string): URL | undefined {
  return URL.canParse(text) ? new URL(text) : undefined;
}

/** Where they answer who has `topic`: one address or several, doubles left out. @throws OptionError */
export function parseLookupUrls(addresses: string | readonly string[], topic: string): readonly LookupUrl[] {
  return distinct(addresses, (url) => {
    if (url.pathname === '/') url.pathname = '/lookup';
    url.searchParams.set('topic', topic);
  });
}

/** Where they answer which nsqds there are: one address or several, doubles left out. @throws OptionError */
export function parseNodesUrls(addresses: string | readonly string[]): readonly LookupUrl[] {
  return distinct(addresses, (url) => {
    if (url.pathname === '/' || url.pathname === '/lookup') url.pathname = '/nodes';
  });
}

function distinct(addresses: string | readonly string[], complete: (url: URL) => void): readonly LookupUrl[] {
  const urls = addressList(addresses).map(parseLookupUrl);
  for (const { url } of urls) complete(url);
  return [...new Map(urls.map((one) => [one.url.href, one])).values()];
}
