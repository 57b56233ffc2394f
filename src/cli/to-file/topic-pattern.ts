import { UsageError } from '../errors.js';

const POSIX_CLASSES: Readonly<Record<string, string>> = {
  alnum: '0-9A-Za-z',
  alpha: 'A-Za-z',
  ascii: '\\x00-\\x7F',
  blank: '\\t ',
  cntrl: '\\x00-\\x1F\\x7F',
  digit: '0-9',
  graph: '!-~',
  lower: 'a-z',
  print: ' -~',
  punct: '!-/:-@[-`{-~',
  space: '\\s',
  upper: 'A-Z',
  word: '\\w',
  xdigit: '0-9A-Fa-f',
};
const ESCAPES: Readonly<Record<string, string>> = { A: '(?<![\\s\\S])', z: '(?![\\s\\S])', a: '\\x07' };
/** Of a pattern: a quoted text, an escape, a class, what follows `(?`, or any other character. */
const TOKEN = /\\Q(.*?)(?:\\E|$)|\\(.)|(\[\^?\]?(?:\[:\^?\w+:\]|\\.|[^\]\\])*\])|\(\?P(?=<)|./gs;
const CLASS_PART = /\[:(\^?\w+):\]|\\(.)|./gs;

/**
 * A pattern of Go's regexp package (https://github.com/google/re2/wiki/Syntax) for topic names. Throws
 * {@link UsageError} on one that is none, or that cannot be written in JavaScript.
 */
export function topicPattern(text: string): RegExp {
  const [prefix, flags = ''] = /^\(\?([ims]+)\)/.exec(text) ?? [''];
  const source = text
    .slice(prefix.length)
    .replace(TOKEN, (token, quoted?: string, escaped?: string, group?: string) => {
      if (quoted !== undefined) return quoted.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
      if (escaped !== undefined) return ESCAPES[escaped] ?? checkedEscape(text, escaped);
      if (group !== undefined) return characterClass(text, group);
      return token === '(?P' ? '(?' : token;
    });
  try {
    return new RegExp(source, [...new Set(flags)].join(''));
  } catch (cause) {
    throw invalid(text, cause instanceof Error ? cause.message.replace(/^.*: /, '') : String(cause), cause);
  }
}

function characterClass(text: string, group: string): string {
  const negated = group.startsWith('[^') ? '^' : '';
  const parts = group
    .slice(1 + negated.length, -1)
    .replace(CLASS_PART, (part, name?: string, escaped?: string) => {
      if (escaped !== undefined) return checkedEscape(text, escaped);
      if (name === undefined) return part === ']' || part === '[' ? `\\${part}` : part;
      const members = POSIX_CLASSES[name];
      if (members === undefined) throw invalid(text, `the class [:${name}:] is unknown`);
      return members;
    });
  return `[${negated}${parts}]`;
}

/** Go refuses what it does not know; JavaScript would take it for the letter. */
function checkedEscape(text: string, letter: string): string {
  if (/[A-Za-z0-9]/.test(letter) && !/[bBdDsSwWtnrfvx]/.test(letter))
    throw invalid(text, `\\${letter} is unknown`);
  return `\\${letter}`;
}

function invalid(text: string, reason: string, cause?: unknown): UsageError {
  return new UsageError(`invalid value for --topic-pattern: "${text}": ${reason}`, {
    ...(cause === undefined ? {} : { cause }),
    hint: "A regular expression is needed, as in --topic-pattern '^orders\\.'",
  });
}
