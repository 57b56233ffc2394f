import type { ChalkInstance } from 'chalk';
import { count } from '../count.js';
import { failuresOf, type Report } from './report.js';
import type { Row } from './row.js';
import { grouped, statTable } from './stat-table.js';

export interface FrameOptions {
  readonly rows: readonly Row[];
  readonly width: number;
  /** Lines of the terminal; Infinity for no limit. */
  readonly height: number;
  /** The first row to show. */
  readonly offset: number;
  /** How often there is one, e.g. `2s`; '' if only once. */
  readonly pace: string;
  readonly isTree: boolean;
  readonly perNode: boolean;
  readonly colors: ChalkInstance;
  /** Why there is no newer report than this one. */
  readonly trouble?: string;
  /** What to press; '' where there are no keys. */
  readonly keys: string;
}

/** A picture of a report: a summary, what is wrong, and as much of the table as there is room for. */
export function frame(report: Report, options: FrameOptions): string[] {
  const { rows, width, height, colors } = options;
  const above = [...summary(report, options), ''];
  if (rows.length === 0) return [...above, clipped(emptyLine(report), width)].slice(0, height);
  const table = statTable(rows, options);
  const room = height - above.length - 1;
  const isCut = rows.length > room;
  const shown = isCut ? Math.max(0, room - 1) : rows.length;
  const from = firstRow(options.offset, rows.length, shown);
  const more = isCut ? [colors.dim(clipped(moreLine(from, shown, rows.length, options.keys), width))] : [];
  return [...above, table.head, ...table.lines(from, from + shown), ...more].slice(0, height);
}

/** An offset that leaves no room empty. */
export function firstRow(offset: number, rows: number, shown: number): number {
  return Math.max(0, Math.min(offset, rows - shown));
}

function summary(report: Report, { rows, width, pace, colors, trouble, keys }: FrameOptions): string[] {
  const topics = new Set(rows.map(({ topic }) => topic)).size;
  const channels = new Set(
    rows.filter(({ channel }) => channel !== '').map((row) => `${row.topic}/${row.channel}`),
  ).size;
  const depth = rows.reduce((sum, row) => sum + row.depth, 0);
  const clock = report.time.toTimeString().slice(0, 8);
  const head = [clock, ...(pace === '' ? [] : [`every ${pace}`]), ...(keys === '' ? [] : ['q quits'])];
  const counts = [
    `${count(topics, 'topic')}, ${count(channels, 'channel')}`,
    `depth ${grouped(depth)}`,
    `in flight ${grouped(sumOf(rows, 'inFlight'))}`,
    ...(rows.some(({ rate }) => rate !== undefined) ? [`in ${grouped(topicRate(rows))}/s`] : []),
    count(sumOf(rows, 'connections'), 'consumer'),
  ];
  const failures = failuresOf(report).map(({ address, message }) => `${address}: ${message}`);
  const unwell = report.nodes
    .filter(({ error, health }) => !error && health !== 'OK' && health !== '')
    .map(({ address, health }) => `${address}: ${health}`);
  const bad = trouble === undefined ? [...failures, ...unwell] : [`trying again: ${trouble}`];
  return [
    clipped(`${nodesText(report)}   ${head.join(', ')}`, width),
    clipped(counts.join('   '), width),
    ...bad.map((line) => colors.red(clipped(line, width))),
  ];
}

function nodesText({ nodes }: Report): string {
  const well = nodes.filter(({ error }) => !error);
  const [only] = well;
  if (nodes.length === 1 && only) return `nsqd ${only.address} (${only.version})`;
  return `${well.length} of ${count(nodes.length, 'nsqd')}`;
}

/** A channel's messages are those of its topic: counted once. */
function topicRate(rows: readonly Row[]): number {
  const own = rows.filter(({ channel }) => channel === '');
  return sumOf(own.length > 0 ? own : rows, 'rate');
}

function sumOf(rows: readonly Row[], measure: 'inFlight' | 'rate' | 'connections'): number {
  return rows.reduce((sum, row) => sum + (row[measure] ?? 0), 0);
}

function emptyLine({ rows }: Report): string {
  if (rows.length > 0) return 'nothing fits --filter';
  return 'no topics yet: nsq pub --topic test hello makes one';
}

function moreLine(from: number, shown: number, all: number, keys: string): string {
  const range = shown === 0 ? `${all} rows` : `rows ${from + 1} to ${from + shown} of ${all}`;
  return keys === '' ? range : `${range}: ${keys}`;
}

function clipped(line: string, width: number): string {
  return line.length <= width ? line : `${line.slice(0, Math.max(0, width - 1))}…`;
}
