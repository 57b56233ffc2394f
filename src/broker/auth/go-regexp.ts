/** Go's classes within brackets, as JavaScript writes them. */
const CLASSES: Readonly<Record<string, string>> = {
  alnum: '0-9A-Za-z',
  alpha: 'A-Za-z',
  ascii: '\\x00-\\x7F',
  blank: '\\t ',
  cntrl: '\\x00-\\x1F\\x7F',
  digit: '0-9',
  graph: '!-~',
  lower: 'a-z',
  print: ' -~',
  punct: '!-\\/:-@[-`{-~',
  space: '\\t\\n\\v\\f\\r ',
  upper: 'A-Z',
  word: '0-9A-Za-z_',
  xdigit: '0-9A-Fa-f',
};

const TOKEN = /\\Q([\s\S]*?)(?:\\E|$)|\\A|\\z|\\[\s\S]|\(\?P<|\[:(\w+):\]/g;

/**
 * A pattern of Go's `regexp` as one of JavaScript: what both write alike stays, what Go writes in its own way is
 * rewritten (flags in front, named groups, `\A` and `\z`, `\Q…\E`, classes such as `[[:alpha:]]`).
 * @throws SyntaxError when it is no pattern
 */
export function goRegExp(pattern: string): RegExp {
  const [whole = '', flags = ''] = /^\(\?([ims]+)\)/.exec(pattern) ?? [];
  const source = pattern.slice(whole.length).replace(TOKEN, (token, quoted?: string, name?: string) => {
    if (quoted !== undefined) return quoted.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
    if (name !== undefined) return CLASSES[name] ?? token;
    if (token === '(?P<') return '(?<';
    if (token === '\\A') return '(?<![\\s\\S])';
    if (token === '\\z') return '(?![\\s\\S])';
    return token;
  });
  return new RegExp(source, [...new Set(flags)].join(''));
}
