import type { ChalkInstance } from 'chalk';
import { columns } from '../columns.js';
import type { Measure, Row } from './row.js';

export interface TableOptions {
  /** Columns of the terminal; Infinity for no limit. */
  readonly width: number;
  readonly colors: ChalkInstance;
  /** Rows are in the order of names: a channel stands below its topic, without naming it again. */
  readonly isTree: boolean;
  readonly perNode: boolean;
}

export interface Table {
  readonly head: string;
  /** Lines of the rows in a range. */
  lines(from?: number, to?: number): string[];
}

const HEADS: Readonly<Record<Measure, string>> = {
  depth: 'depth',
  memory: 'mem',
  disk: 'disk',
  inFlight: 'inflt',
  deferred: 'def',
  requeues: 'req',
  timeouts: 't-o',
  messages: 'msgs',
  rate: 'in/s',
  outRate: 'out/s',
  connections: 'conns',
};
const ORDER = Object.keys(HEADS) as readonly Measure[];
/** What goes first when a terminal is narrow. */
const DROPPED: readonly Measure[] = [
  'memory',
  'disk',
  'outRate',
  'timeouts',
  'requeues',
  'deferred',
  'messages',
  'connections',
  'rate',
  'inFlight',
];
/** A name may be cut to this for the sake of another column. */
const ENOUGH_OF_A_NAME = 24;
const WIDE = '  ';
const NARROW = ' ';
const NOTHING = '-';
const AT_ONCE = 100;
/** Not good when it is more than nothing. */
const ALARMING: ReadonlySet<Measure> = new Set(['timeouts', 'requeues']);

type FormatCount = (value: number) => string;

interface Layout {
  readonly measures: readonly Measure[];
  readonly widths: readonly number[];
  readonly format: FormatCount;
  /** What stands between columns. */
  readonly gap: string;
}

interface Fit extends Layout {
  readonly nameWidth: number;
}

/** A table that is no wider than the terminal: numbers are shortened first, then columns left out, then names cut. */
export function statTable(rows: readonly Row[], options: TableOptions): Table {
  const names = rows.map((row) => nameOf(row, options));
  const fit = fitting(rows, Math.max(4, ...names.map(({ length }) => length)), options.width);
  const layout = {
    aligns: ['left', ...fit.measures.map(() => 'right')] as ('left' | 'right')[],
    widths: [fit.nameWidth, ...fit.widths],
    gap: fit.gap,
    indent: '',
  };
  const { colors } = options;
  const heads = ['name', ...fit.measures.map((name) => HEADS[name])].map((text) => colors.dim(text));
  return {
    head: columns([heads], layout).join('\n'),
    lines: (from = 0, to = rows.length) => {
      const cells = rows.slice(from, to).map((row, index) => {
        const name = shortened(names[from + index] ?? '', fit.nameWidth);
        return [
          coloredName(name, row, colors),
          ...fit.measures.map((one) => cell(one, row[one], fit.format, colors)),
        ];
      });
      const lines: string[] = [];
      // In pieces, since cli-table3's time grows with the square of the rows.
      for (let at = 0; at < cells.length; at += AT_ONCE)
        lines.push(...columns(cells.slice(at, at + AT_ONCE), layout));
      return lines;
    },
  };
}

function fitting(rows: readonly Row[], longestName: number, width: number): Fit {
  const enough = Math.min(longestName, ENOUGH_OF_A_NAME);
  let fit: Fit | undefined;
  for (const layout of layouts(rows)) {
    const taken = layout.widths.reduce((sum, one) => sum + one + layout.gap.length, 0);
    fit = { ...layout, nameWidth: Math.max(1, Math.min(longestName, width - taken)) };
    if (fit.nameWidth >= enough) break;
  }
  return fit!;
}

/** From the widest to the narrowest. */
function* layouts(rows: readonly Row[]): Generator<Layout> {
  yield layoutOf(rows, ORDER, grouped, WIDE);
  yield layoutOf(rows, ORDER, compact, WIDE);
  for (let dropped = 0; dropped <= DROPPED.length; dropped++) {
    const left = DROPPED.slice(dropped);
    const measures = ORDER.filter((name) => name === 'depth' || left.includes(name));
    yield layoutOf(rows, measures, compact, NARROW);
  }
}

function layoutOf(
  rows: readonly Row[],
  measures: readonly Measure[],
  format: FormatCount,
  gap: string,
): Layout {
  const widths = measures.map((name) =>
    rows.reduce((most, row) => Math.max(most, plainCell(row[name], format).length), HEADS[name].length),
  );
  return { measures, widths, format, gap };
}

function nameOf({ topic, channel, node, paused }: Row, { isTree, perNode }: TableOptions): string {
  const name = channel === '' ? topic : isTree ? `  ${channel}` : `${topic}/${channel}`;
  return `${name}${perNode ? ` @${node}` : ''}${paused ? PAUSED : ''}`;
}

const PAUSED = ' (paused)';

/** The middle goes: names often differ at their ends. */
function shortened(name: string, width: number): string {
  if (name.length <= width) return name;
  const rest = width - 1;
  return `${name.slice(0, Math.ceil(rest / 2))}…${rest > 1 ? name.slice(-Math.floor(rest / 2)) : ''}`;
}

function coloredName(name: string, { channel, paused }: Row, colors: ChalkInstance): string {
  if (paused) return colors.yellow(name);
  return channel === '' ? colors.bold(name) : name;
}

function cell(
  measure: Measure,
  value: number | undefined,
  format: FormatCount,
  colors: ChalkInstance,
): string {
  const text = plainCell(value, format);
  if (value === undefined || Math.round(value) === 0) return colors.dim(text);
  return ALARMING.has(measure) ? colors.yellow(text) : text;
}

function plainCell(value: number | undefined, format: FormatCount): string {
  return value === undefined ? NOTHING : format(value);
}

/** `1,234,567` */
export function grouped(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}

const UNITS = ['', 'k', 'M', 'G', 'T', 'P'];

/** `1234`, `12.3k`, `1.2M`: five characters at most, and a sign. */
export function compact(value: number): string {
  const sign = value < 0 ? '-' : '';
  let rest = Math.abs(Math.round(value));
  if (rest < 10_000) return `${sign}${rest}`;
  let unit = 0;
  while (rest >= 999.5 && unit < UNITS.length - 1) {
    rest /= 1000;
    unit++;
  }
  return `${sign}${rest >= 99.95 ? Math.round(rest) : rest.toFixed(1)}${UNITS[unit]}`;
}
