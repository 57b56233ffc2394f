import { UsageError } from '../errors.js';
import { Terminal } from '../terminal.js';
import { type MessageFormat, messageFormat, withTopic } from './message-format.js';
import { topicColors, UNPAINTED } from './topic-colors.js';

export interface FormatOptions {
  readonly format: string;
  readonly json: boolean;
  readonly 'print-topic': boolean;
  readonly color: boolean | undefined;
}

/** The format that the flags ask for, with colours by topic where the standard output is a terminal. */
export async function tailFormat(
  { format: named, json, 'print-topic': printTopic, color }: FormatOptions,
  topics: readonly string[],
): Promise<MessageFormat> {
  if (json && named !== 'line' && named !== 'json')
    throw new UsageError(`--json and --format ${named} are two things: give one of them`);
  const format = json ? 'json' : named;
  const screen = new Terminal({ color, stream: process.stdout });
  const hasTopics = printTopic || topics.length > 1 || format.includes('%t');
  const paint = hasTopics ? topicColors(topics, await screen.colors()) : UNPAINTED;
  // JSON names it already, and would be none with more before it.
  if (printTopic && format !== 'json') return withTopic(messageFormat(format), paint);
  return messageFormat(format, paint);
}
