import { UsageError } from '../errors.js';

const PARTS = /^https?:\/\/([^/?#\\]+)([^#]*)/i;

/** Where requests go to. */
export interface TargetUrl {
  /** As given, without a password. */
  readonly name: string;
  /** `http://host:port` */
  readonly origin: string;
  /** The value of `Authorization`, when the URL names a user. */
  readonly authorization: string | undefined;
  /** Path and query for this body; always the same for a POST. */
  path(body: Buffer): string;
}

/** Throws {@link UsageError}. */
export function postUrl(text: string): TargetUrl {
  const { path, ...rest } = parse('post', text);
  return { ...rest, path: () => path };
}

/**
 * The body, escaped as Go's `url.QueryEscape` does, stands in place of the one `%s`; `%%` is a percent sign. Throws
 * {@link UsageError}.
 */
export function getUrl(text: string): TargetUrl {
  const { path, ...rest } = parse('get', text);
  const parts = path.split(/(%%|%s)/);
  const places = parts.filter((part) => part === '%s').length;
  if (places !== 1 || text.split('%s').length !== 2) {
    throw new UsageError(`--get ${JSON.stringify(text)} needs one %s in its path or query for the message`, {
      hint: 'For example --get http://127.0.0.1:8080/?message=%s',
    });
  }
  const at = parts.indexOf('%s');
  const literal = (some: readonly string[]): string =>
    some.map((part) => (part === '%%' ? '%' : part)).join('');
  const [before, after] = [literal(parts.slice(0, at)), literal(parts.slice(at + 1))];
  return { ...rest, path: (body) => before + queryEscape(body) + after };
}

function parse(flag: 'post' | 'get', text: string): Omit<TargetUrl, 'path'> & { readonly path: string } {
  const [, authority = '', rest = ''] = PARTS.exec(text) ?? [];
  const base = `${text.slice(0, text.indexOf(':'))}://${authority}`;
  if (authority === '' || !URL.canParse(base)) {
    throw new UsageError(`--${flag} ${JSON.stringify(text)} is no http or https URL`, {
      hint: `For example --${flag} http://127.0.0.1:8080/${flag === 'get' ? '?message=%s' : 'messages'}`,
    });
  }
  const { origin, username, password } = new URL(base);
  const user = `${percentDecoded(username)}:${percentDecoded(password)}`;
  return {
    name: text.replace(authority, authority.replace(/:[^@]*@/, ':***@')),
    origin,
    authorization:
      username === '' && password === '' ? undefined : `Basic ${Buffer.from(user).toString('base64')}`,
    // As it was given: what a URL class would tidy up, a server may tell apart.
    path: (rest.startsWith('/') ? rest : `/${rest}`).replace(/[^\x21-\x7e]/gu, encodeURIComponent),
  };
}

function percentDecoded(text: string): string {
  return text.replace(/(%[\da-f]{2})+/gi, (escaped) =>
    Buffer.from(escaped.replaceAll('%', ''), 'hex').toString(),
  );
}

const UNRESERVED = /[A-Za-z0-9\-_.~]/;
const ESCAPED: readonly string[] = Array.from({ length: 256 }, (_, byte) => {
  const character = String.fromCharCode(byte);
  if (UNRESERVED.test(character)) return character;
  return byte === 0x20 ? '+' : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
});

function queryEscape(bytes: Buffer): string {
  let text = '';
  for (const byte of bytes) text += ESCAPED[byte];
  return text;
}
