import { Terminal } from '../terminal.js';
import { type MessageFormat, messageFormat, withTopic } from './message-format.js';
import { topicColors, UNPAINTED } from './topic-colors.js';

export interface FormatOptions {
  readonly format: string;
  readonly 'print-topic': boolean;
  readonly color: boolean | undefined;
}

/** The format that the flags ask for, with colours by topic where the standard output is a terminal. */
export async function tailFormat(
  { format, 'print-topic': printTopic, color }: FormatOptions,
  topics: readonly string[],
): Promise<MessageFormat> {
  const screen = new Terminal({ color, stream: process.stdout });
  const hasTopics = printTopic || topics.length > 1 || format.includes('%t');
  const paint = hasTopics ? topicColors(topics, await screen.colors()) : UNPAINTED;
  if (printTopic) return withTopic(messageFormat(format), paint);
  return messageFormat(format, paint);
}
