import { goRegExp } from '../../protocol/go-regexp.js';
import { UsageError } from '../errors.js';

/** A pattern of Go's regexp package for topic names. Throws {@link UsageError} on one that is none. */
export function topicPattern(text: string): RegExp {
  try {
    return goRegExp(text);
  } catch (cause) {
    const reason =
      cause instanceof Error ? cause.message.replace(/^Invalid regular expression: .*: /, '') : cause;
    throw new UsageError(`invalid value for --topic-pattern: "${text}": ${reason}`, {
      cause,
      hint: "A regular expression is needed, as in --topic-pattern '^orders\\.'",
    });
  }
}
