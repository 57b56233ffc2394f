import { UsageError } from '../errors.js';

const NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what a header may not have
const CONTROL = /[\x00-\x08\x0a-\x1f\x7f]/;
/** They describe the connection or the body, which are not for the user to choose. */
const OF_THE_CONNECTION: ReadonlySet<string> = new Set([
  'connection',
  'content-length',
  'expect',
  'keep-alive',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** By lower-case name. */
export type Headers = Readonly<Record<string, string>>;

/** Headers in the form `Name: value`; of one that is given twice, the last. Throws {@link UsageError}. */
export function parseHeaders(given: readonly string[]): Headers {
  return Object.fromEntries(given.map(parseHeader));
}

function parseHeader(text: string): [string, string] {
  const colon = text.indexOf(':');
  const name = text.slice(0, Math.max(0, colon)).trim();
  const value = text.slice(colon + 1).trim();
  if (!NAME.test(name) || value === '' || CONTROL.test(value)) {
    throw new UsageError(`--header ${JSON.stringify(text)} is not "name: value"`);
  }
  if (OF_THE_CONNECTION.has(name.toLowerCase())) {
    throw new UsageError(`--header ${JSON.stringify(text)} cannot be set: it belongs to the connection`);
  }
  return [name.toLowerCase(), headerValue(value)];
}

/** The value as undici takes it: a character for each of its bytes in UTF-8. */
function headerValue(value: string): string {
  return Buffer.from(value).toString('latin1');
}
