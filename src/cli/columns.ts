import Table from 'cli-table3';

const NOTHING = '';
/** No borders, no colours of the table's own: what is in the cells stands as it is. */
const PLAIN = {
  chars: {
    top: NOTHING,
    'top-mid': NOTHING,
    'top-left': NOTHING,
    'top-right': NOTHING,
    bottom: NOTHING,
    'bottom-mid': NOTHING,
    'bottom-left': NOTHING,
    'bottom-right': NOTHING,
    left: NOTHING,
    'left-mid': NOTHING,
    mid: NOTHING,
    'mid-mid': NOTHING,
    right: NOTHING,
    'right-mid': NOTHING,
    middle: ' ',
  },
  style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 },
};

export interface ColumnLayout {
  /** Of each column, left by default. */
  readonly aligns?: readonly ('left' | 'right')[];
  /** Of each column; longer cells are cut. By default as wide as its longest cell. */
  readonly widths?: readonly number[];
  /** What stands between columns. */
  readonly gap?: string;
  readonly indent?: string;
}

/** Lines of aligned columns, indented by two; cells may be coloured. Loads cli-table3: import it when needed. */
export function columns(
  rows: readonly (readonly string[])[],
  { aligns = [], widths = [], gap = ' ', indent = '  ' }: ColumnLayout = {},
): string[] {
  const chars = { ...PLAIN.chars, middle: gap };
  const table = new Table({ ...PLAIN, chars, colAligns: [...aligns], colWidths: [...widths] });
  for (const row of rows) table.push([...row]);
  return table
    .toString()
    .split('\n')
    .map((line) => `${indent}${line.trimEnd()}`);
}
