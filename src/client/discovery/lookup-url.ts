import { OptionError } from '../errors.js';

/** Where a lookupd answers look-ups of one topic. */
export interface LookupUrl {
  /** The lookupd's `host:port`, for people and events. */
  readonly text: string;
  /** With the topic as its query. */
  readonly url: URL;
}

/** Reads `http://host:port` or `host:port`. @throws OptionError when it is neither */
function parseLookupUrl(text: string, topic: string): LookupUrl {
  const url = parse(text.includes('://') ? text : `http://${text}`);
  if (url?.protocol !== 'http:' || url.username !== '' || url.search !== '' || url.hash !== '') {
    throw new OptionError(`lookupd address ${JSON.stringify(text)} is not host:port or http://host:port`);
  }
  if (url.pathname === '/') url.pathname = '/lookup';
  url.searchParams.set('topic', topic);
  return { text: url.port === '' ? `${url.hostname}:80` : url.host, url };
}

function parse(text: string): URL | undefined {
  return URL.canParse(text) ? new URL(text) : undefined;
}

/** One address or several, doubles left out. @throws OptionError */
export function parseLookupUrls(addresses: string | readonly string[], topic: string): readonly LookupUrl[] {
  const list = typeof addresses === 'string' ? [addresses] : addresses;
  const urls = list.map((text) => parseLookupUrl(text, topic));
  return [...new Map(urls.map((one) => [one.url.href, one])).values()];
}
