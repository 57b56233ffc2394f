import { RunError } from '../errors.js';
import { explain } from '../explanation.js';
import { count, type Outcome } from './publish-input.js';

const SHOWN_REFUSALS = 10;

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
  receipt: { topic, nsqd, messages, bytes, skipped, unsent },
  durationMs,
}: Outcome): string {
  const rate =
    messages > 1 && durationMs > 0
      ? `, ${Math.round(messages / (durationMs / 1000)).toLocaleString('en')}/s`
      : '';
  const empty = skipped === 0 ? '' : `; ${count(skipped, 'empty line')} left out`;
  const held = unsent === 0 ? '' : `; ${count(unsent, 'message')} read and not sent`;
  return `published ${count(messages, 'message')} (${count(bytes, 'byte')}${rate}) to ${topic} at ${nsqd.join(', ')}${empty}${held}`;
}

/** The error of an outcome in which something was not accepted, or `undefined`. */
export function outcomeError({ receipt, failure }: Outcome): unknown {
  if (receipt.notAccepted === 0) return failure;
  const cause = failure === undefined ? {} : { cause: failure };
  const { hint, message } = failure === undefined ? { hint: undefined, message: '' } : explain(failure);
  const which = receipt.refusals
    .slice(0, SHOWN_REFUSALS)
    .map((refusal) => `message ${refusal.message} (${count(refusal.bytes, 'byte')}): ${refusal.reason}`);
  const more = receipt.refusals.length > SHOWN_REFUSALS ? ['and more'] : [];
  const reasons = [...which, ...more, ...(message === '' ? [] : [message])].join('; ');
  return new RunError(`${count(receipt.notAccepted, 'message')} not accepted: ${reasons}`, {
    ...cause,
    ...(hint === undefined ? {} : { hint }),
  });
}
