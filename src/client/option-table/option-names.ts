import { OptionError } from '../errors.js';
import type { OptionTable } from './option-spec.js';

/**
 * Refuses what no table has: a misspelt option would otherwise have its default without a word.
 * @throws OptionError
 */
export function checkNames(options: unknown, ...tables: readonly OptionTable[]): void {
  if (typeof options !== 'object' || options === null || Array.isArray(options))
    throw new OptionError('options must be an object');
  const known = tables.flatMap((table) => Object.keys(table));
  for (const [name, value] of Object.entries(options)) {
    if (value === undefined || known.includes(name)) continue;
    const likely = known.find((one) => bare(one) === bare(name));
    throw new OptionError(`there is no option ${name}${likely === undefined ? '' : `: it is ${likely}`}`);
  }
}

/** A name without what spellings of it differ in: go-nsq's underscores, nsqjs's capitals, one or several. */
function bare(name: string): string {
  return name
    .replaceAll('_', '')
    .toLowerCase()
    .replace(/(?:e?s)+$/, '');
}
