import { failuresOf, type Report } from './report.js';
import { MEASURES, type Measure, type Row } from './row.js';

/** How reports are printed one after the other. */
export interface ReportFormat {
  /** Before the first report. */
  readonly head: string;
  /** With the newline at its end. */
  print(report: Report, rows: readonly Row[]): string;
}

/** Tab-separated values below one line of names; what is not known is empty. */
export function tsvFormat(perNode: boolean): ReportFormat {
  const names = ['time', 'topic', 'channel', ...(perNode ? ['node'] : []), 'paused', ...MEASURES];
  const line = (time: string, row: Row): string =>
    [
      time,
      row.topic,
      row.channel,
      ...(perNode ? [row.node] : []),
      row.paused,
      ...MEASURES.map((name) => rounded(row[name]) ?? ''),
    ].join('\t');
  return {
    head: `${names.join('\t')}\n`,
    print: ({ time }, rows) => rows.map((row) => `${line(time.toISOString(), row)}\n`).join(''),
  };
}

/** One object a line: the time, the nodes, and the topics with their channels in them. */
export function jsonFormat(perNode: boolean): ReportFormat {
  return {
    head: '',
    print: (report, rows) => {
      const nodes = report.nodes.map(({ address, version, health, error }) =>
        error ? { address, error: error.message } : { address, version, health },
      );
      const failures = failuresOf(report).map(({ address, message }) => ({ address, error: message }));
      return `${JSON.stringify({ time: report.time, nodes, failures, topics: nested(rows, perNode) })}\n`;
    },
  };
}

/** A topic that is there only for its channels has none of its own figures. */
function nested(rows: readonly Row[], perNode: boolean): unknown[] {
  const topics = new Map<string, { topic: string; channels: unknown[] }>();
  for (const row of rows) {
    const key = `${row.topic} ${row.node}`;
    const { topic, node } = row;
    const entry = topics.get(key) ?? { topic, ...(perNode ? { node } : {}), channels: [] };
    const figures = { paused: row.paused, ...figuresOf(row) };
    if (row.channel !== '') entry.channels.push({ channel: row.channel, ...figures });
    topics.set(key, row.channel === '' ? { ...entry, ...figures } : entry);
  }
  // The channels come last, where people look for them.
  return [...topics.values()].map(({ channels, ...entry }) => ({ ...entry, channels }));
}

/** A rate that is not known yet is null; what a topic does not have is left out. */
function figuresOf(row: Row): Record<string, number | null> {
  const entries = MEASURES.flatMap((name): [Measure, number | null][] => {
    const value = rounded(row[name]);
    if (value !== undefined) return [[name, value]];
    return name === 'rate' || name === 'outRate' ? [[name, null]] : [];
  });
  return Object.fromEntries(entries);
}

function rounded(value: number | undefined): number | undefined {
  return value === undefined ? undefined : Math.round(value * 100) / 100;
}

const RULES =
  '------rate------+----------------depth----------------+--------------metadata---------------\n';
const COLUMNS: readonly (readonly [name: string, width: number, measure: Measure, behind: string])[] = [
  ['ingress', 7, 'rate', ' '],
  ['egress', 7, 'outRate', ' | '],
  ['total', 7, 'depth', ' '],
  ['mem', 7, 'memory', ' '],
  ['disk', 7, 'disk', ' '],
  ['inflt', 5, 'inFlight', ' '],
  ['def', 5, 'deferred', ' | '],
  ['req', 7, 'requeues', ' '],
  ['t-o', 7, 'timeouts', ' '],
  ['msgs', 12, 'messages', ' '],
  ['clients', 7, 'connections', '\n'],
];
const LINES_PER_HEAD = 25;

/** nsq_stat's layout, to the blank: one line for one channel, and the head again before every 25th. */
export function nsqStatFormat(): ReportFormat {
  const head = RULES + COLUMNS.map(([name, width, , behind]) => name.padStart(width) + behind).join('');
  let lines = 0;
  return {
    head,
    print: (_, rows) => {
      const row = rows.find(({ channel }) => channel !== '');
      if (!row) return '';
      const line = COLUMNS.map(([, width, measure, behind]) => {
        const value = Math.trunc(row[measure] ?? 0);
        return String(value).padStart(width) + behind;
      }).join('');
      lines++;
      return lines % LINES_PER_HEAD === 0 ? head + line : line;
    },
  };
}
