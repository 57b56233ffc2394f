import { count } from '../count.js';
import { RunError } from '../errors.js';
import { explain } from '../explanation.js';
import { BODY_CODES, type Refusal } from './publication.js';
import type { Outcome } from './publish-input.js';

const SHOWN_REFUSALS = 10;
const SIZES = 'How large a message may be is said by --max-msg-size and --max-body-size of the broker';

/** The receipt of `--json`: one object in one line. */
export function receiptJson({ receipt, durationMs, failure }: Outcome): string {
  return JSON.stringify({
    ...receipt,
    durationMs: Math.round(durationMs),
    ...(failure === undefined ? {} : { error: explain(failure).message }),
  });
}

/** What was done, in one line for people. */
export function receiptLine({
  receipt: { topic, nsqd, any, messages, bytes, skipped, unsent },
  durationMs,
}: Outcome): string {
  const rate =
    messages > 1 && durationMs > 0
      ? `, ${Math.round(messages / (durationMs / 1000)).toLocaleString('en')}/s`
      : '';
  const empty = skipped === 0 ? '' : `; ${count(skipped, 'empty line')} left out`;
  const held = unsent === 0 ? '' : `; ${count(unsent, 'message')} read and not sent`;
  return `published ${count(messages, 'message')} (${count(bytes, 'byte')}${rate}) to ${topic} at ${nsqd.join(any ? ' or ' : ', ')}${empty}${held}`;
}

/** The error of an outcome in which something was not accepted, or `undefined`. */
export function outcomeError({ receipt, failure }: Outcome): unknown {
  if (receipt.notAccepted === 0) return failure;
  const cause = failure === undefined ? {} : { cause: failure };
  const isTooLarge = receipt.refusals.some(({ code }) => BODY_CODES.has(code));
  const { hint, message } =
    failure === undefined ? { hint: isTooLarge ? SIZES : undefined, message: '' } : explain(failure);
  const single = receipt.refusals.filter(({ last }) => last === undefined);
  const runs = receipt.refusals.filter(({ last }) => last !== undefined);
  const more = single.length > SHOWN_REFUSALS ? ['and more'] : [];
  const end = runs.length > 0 ? 'nothing after them was sent' : message;
  const reasons = [
    ...single.slice(0, SHOWN_REFUSALS).map(refusalText),
    ...more,
    ...runs.map(refusalText),
    ...(end === '' ? [] : [end]),
  ].join('; ');
  return new RunError(`${count(receipt.notAccepted, 'message')} not accepted: ${reasons}`, {
    ...cause,
    ...(hint === undefined ? {} : { hint }),
  });
}

function refusalText({ message, last = message, bytes, nsqd, reason }: Refusal): string {
  const which =
    last === message
      ? `message ${message}`
      : `messages ${message.toLocaleString('en')} to ${last.toLocaleString('en')}`;
  const where = reason.includes(nsqd) ? '' : ` at ${nsqd}`;
  return `${which} (${count(bytes, 'byte')})${where}: ${reason}`;
}
