/** Columns of one width, as the formatter of this repository wants them. */
export function markdownTable([head = [], ...body]: readonly (readonly string[])[]): string {
  const rows = [head, ...body].map((cells) => cells.map(escapeCell));
  const widths = head.map((_, column) => Math.max(3, ...rows.map((cells) => cells[column]!.length)));
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  const [first, ...rest] = rows.map((cells) =>
    line(cells.map((cell, column) => cell.padEnd(widths[column]!))),
  );
  return [first, line(widths.map((width) => '-'.repeat(width))), ...rest].join('\n');
}

function escapeCell(text: string): string {
  return text.replaceAll('|', '\\|').replace(/<(?=[^`]*$)/g, '&lt;');
}
