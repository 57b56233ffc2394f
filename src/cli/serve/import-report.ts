import type { TakeoverReport, TopicReport } from '../../broker/index.js';
import { count } from '../count.js';
import { RunError } from '../errors.js';
import { explain } from '../explanation.js';

/** What an import came to. */
export interface ImportOutcome {
  readonly report: TakeoverReport;
  /** Why it ended early, or what was left; undefined if all is imported. */
  readonly error: unknown;
}

/** That of one that failed. */
const NO_REPORT: TakeoverReport = { movedTo: '', topics: [], warnings: [] };

/** Waits for an import; of one that fails, nothing is reported as imported. */
export async function outcomeOf(importing: Promise<TakeoverReport>): Promise<ImportOutcome> {
  try {
    const report = await importing;
    return { report, error: importError(report) };
  } catch (error) {
    return { report: NO_REPORT, error };
  }
}

/** The report of `--import-only --json`: one object in one line, also when it failed. */
export function importJson({ report, error }: ImportOutcome): string {
  return JSON.stringify({ ...report, ...(error === undefined ? {} : { error: explain(error).message }) });
}

/** What was imported, in lines for people: one for each topic and channel, then the sum. */
export function importLines({ report }: ImportOutcome): string[] {
  if (report === NO_REPORT) return [];
  const { movedTo, topics } = report;
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
function importError({ topics }: TakeoverReport): RunError | undefined {
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
