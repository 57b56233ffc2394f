import { OptionError } from '../errors.js';

/** Where a lookupd answers a question. */
export interface LookupUrl {
  /** The lookupd's `host:port`, for people and events. */
  readonly text: string;
  readonly url: URL;
}

/** Reads `http://host:port` or `host:port`. @throws OptionError when it is neither */
function parseLookupUrl(text: string): LookupUrl {
  const url = parse(text.includes('://') ? text : `http://${text}`);
  if (url?.protocol !== 'http:' || url.username !== '' || url.search !== '' || url.hash !== '') {
    throw new OptionError(`lookupd address ${JSON.stringify(text)} is not host:port or http://host:port`);
  }
  return { text: url.port === '' ? `${url.hostname}:80` : url.host, url };
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
  const list = typeof addresses === 'string' ? [addresses] : addresses;
  const urls = list.map(parseLookupUrl);
  for (const { url } of urls) complete(url);
  return [...new Map(urls.map((one) => [one.url.href, one])).values()];
}
