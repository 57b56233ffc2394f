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
  punct: '!-\\/:-@\\[-`{-~',
  space: '\\t\\n\\v\\f\\r ',
  upper: 'A-Z',
  word: '0-9A-Za-z_',
  xdigit: '0-9A-Fa-f',
};
const ESCAPES: Readonly<Record<string, string>> = { A: '(?<![\\s\\S])', z: '(?![\\s\\S])', a: '\\x07' };
/** Of a pattern: a quoted text, an escape, a class, what follows `(?`, or any other character. */
const TOKEN = /\\Q(.*?)(?:\\E|$)|\\(.)|(\[\^?\]?(?:\[:\^?\w+:\]|\\.|[^\]\\])*\])|\(\?P(?=<)|./gs;
const CLASS_PART = /\[:(\^?\w+):\]|\\(.)|./gs;

/**
 * A pattern of Go's `regexp` package (https://github.com/google/re2/wiki/Syntax) as one of JavaScript: what both write
 * alike stays, what Go writes in its own way is rewritten (flags in front, named groups, `\A` and `\z`, `\Q…\E`,
 * classes such as `[[:alpha:]]`).
 * @throws SyntaxError when it is no pattern of Go's, or cannot be written in JavaScript
 */
export function goRegExp(pattern: string): RegExp {
  const [prefix, flags = ''] = /^\(\?([ims]+)\)/.exec(pattern) ?? [''];
  const source = pattern
    .slice(prefix.length)
    .replace(TOKEN, (token, quoted?: string, escaped?: string, group?: string) => {
      if (quoted !== undefined) return quoted.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
      if (escaped !== undefined) return ESCAPES[escaped] ?? checkedEscape(escaped);
      if (group !== undefined) return characterClass(group);
      return token === '(?P' ? '(?' : token;
    });
  return new RegExp(source, [...new Set(flags)].join(''));
}

function characterClass(group: string): string {
  const negated = group.startsWith('[^') ? '^' : '';
  const parts = group
    .slice(1 + negated.length, -1)
    .replace(CLASS_PART, (part, name?: string, escaped?: string) => {
      if (escaped !== undefined) return checkedEscape(escaped);
      if (name === undefined) return part === ']' || part === '[' ? `\\${part}` : part;
      const members = CLASSES[name];
      if (members === undefined) throw new SyntaxError(`the class [:${name}:] is unknown`);
      return members;
    });
  return `[${negated}${parts}]`;
}

/** Go refuses what it does not know; JavaScript would take it for the letter. */
function checkedEscape(letter: string): string {
  if (/[A-Za-z0-9]/.test(letter) && !/[bBdDsSwWtnrfvx]/.test(letter))
    throw new SyntaxError(`\\${letter} is unknown`);
  return `\\${letter}`;
}
