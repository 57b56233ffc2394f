import type { TakeoverReport, TopicReport } from '../../broker/index.js';
import { count } from '../count.js';
import { RunError } from '../errors.js';

/** The report of `--import-only --json`: one object in one line. */
export function importJson(report: TakeoverReport): string {
  return JSON.stringify(report);
}

/** What was imported, in lines for people: one for each topic and channel, then the sum. */
export function importLines({ movedTo, topics }: TakeoverReport): string[] {
  if (movedTo === '' && topics.length === 0) return ['nothing of nsqd to import'];
  const imported = topics.filter(({ outcome }) => outcome === 'imported');
  const messages = imported.reduce((sum, topic) => sum + topic.messages, 0);
  const total = `imported ${count(imported.length, 'topic')} with ${count(messages, 'message')}`;
  return [
    ...imported.flatMap(topicLines),
    movedTo === '' ? total : `${total}; nsqd's files are in ${movedTo} now`,
  ];
}

/** The error of a report in which something was not imported, or `undefined`. */
export function importError({ topics }: TakeoverReport): RunError | undefined {
  const left = topics.filter(({ outcome }) => outcome === 'left').map(({ name }) => name);
  if (left.length === 0) return undefined;
  return new RunError(`not imported, since there are topics of these names already: ${left.join(', ')}`, {
    hint: 'Their files of nsqd are where they were: run nsqd on them, or delete these topics here and import again',
  });
}

function topicLines({ name, paused, waiting, channels }: TopicReport): string[] {
  const own = waiting === 0 ? '' : `: ${count(waiting, 'message')} that no channel had got yet`;
  return [
    `topic ${name}${paused ? ' (paused)' : ''}${own}`,
    ...channels.map(
      (channel) =>
        `  channel ${channel.name}${channel.paused ? ' (paused)' : ''}: ${count(channel.messages, 'message')}`,
    ),
  ];
}
