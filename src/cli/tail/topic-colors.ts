import type { ChalkInstance } from 'chalk';

/** What stands before and after a text of a topic. */
export type TopicPaint = (topic: string) => readonly [open: string, close: string];

export const UNPAINTED: TopicPaint = () => ['', ''];

const PALETTE = ['cyan', 'yellow', 'magenta', 'green', 'blue', 'red'] as const;

/** A colour for each topic, in their order; with more than six of them they come again. */
export function topicColors(topics: readonly string[], colors: ChalkInstance): TopicPaint {
  if (colors.level === 0) return UNPAINTED;
  const paints = new Map(
    topics.map((topic, index) => {
      const [open = '', close = ''] = colors[PALETTE[index % PALETTE.length]!]('\0').split('\0');
      return [topic, [open, close] as const];
    }),
  );
  return (topic) => paints.get(topic) ?? ['', ''];
}
