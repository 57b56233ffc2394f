import type { ConsumerOptions } from '../../client/index.js';
import { UsageError } from '../errors.js';
import { checkedName } from '../names.js';
import type { ValuesOf } from '../settings.js';
import type { GIVE_UP_SETTINGS } from './relay-settings.js';

/** go-nsq's `max_attempts`. */
const MAX_ATTEMPTS = 5;

type GiveUpOptions = Required<Pick<ConsumerOptions, 'maxAttempts' | 'deadLetterTopic'>>;

/**
 * What becomes of messages that no target takes: none is given up without being asked for, by the command's flags or in
 * `passed`, its `--consumer-opt`. Throws {@link UsageError}.
 *
 * @param topics those that are consumed
 */
export function giveUpOptions(
  values: ValuesOf<typeof GIVE_UP_SETTINGS>,
  passed: Partial<ConsumerOptions>,
  topics: readonly string[],
): GiveUpOptions {
  const deadLetterTopic = values['dead-letter-topic'] || passed.deadLetterTopic || '';
  const fallback = passed.maxAttempts || (deadLetterTopic === '' ? 0 : MAX_ATTEMPTS);
  const maxAttempts = values['max-attempts'] ?? fallback;
  if (deadLetterTopic !== '') {
    checkedName('topic', deadLetterTopic);
    if (topics.includes(deadLetterTopic))
      throw new UsageError(`--dead-letter-topic ${deadLetterTopic} is a topic that messages are taken from`);
    if (maxAttempts === 0)
      throw new UsageError('--dead-letter-topic is without effect: --max-attempts 0 gives no message up');
  }
  return { maxAttempts, deadLetterTopic };
}
