import { type NodeOutcome, type Outcome, outcomeError, past, targetText } from './action.js';

/** One line for a program. */
export function receiptJson(outcome: Outcome): string {
  const { verb, target, nodes } = outcome;
  const isDone = outcomeError(outcome) === undefined;
  return JSON.stringify({ action: verb, ...target, ok: isDone, nodes: nodes.map(nodeJson) });
}

function nodeJson({ kind, address, result, error }: NodeOutcome): unknown {
  return { kind, address, result, ...(error ? { error: error.message } : {}) };
}

/** One line for people: what was done, and where. */
export function receiptLine({ verb, target, nodes }: Outcome): string {
  const done = nodes.filter(({ result }) => result === 'done');
  if (done.length === 0) return `${targetText(target)}: is not there`;
  const places = done.map(({ kind, address }) => `${kind} ${address}`).join(', ');
  return `${targetText(target)}: ${past(verb)} at ${places}`;
}
