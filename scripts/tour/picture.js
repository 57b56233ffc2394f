const COLUMNS = 104;
const CELL = { width: 8.4, height: 20 };
const PADDING = { x: 20, top: 52, bottom: 20 };
const COLORS = {
  background: '#16181d',
  bar: '#23262e',
  text: '#d5d9e0',
  comment: '#7d8594',
  prompt: '#8bd5a0',
};
/** What terminals show for the codes that the commands use. */
const STYLES = {
  1: 'font-weight="bold"',
  2: 'opacity="0.55"',
  31: 'fill="#f28b82"',
  32: 'fill="#8bd5a0"',
  33: 'fill="#e6c07b"',
  34: 'fill="#7aa8f0"',
  35: 'fill="#d79be6"',
  36: 'fill="#6cc7d9"',
};

/**
 * The SVG of a terminal in which the commands were run.
 * @param {readonly { comment: string, command: string, output: string }[]} recording
 */
export function drawTerminal(recording) {
  const lines = recording.flatMap(({ comment, command, output }, index) => [
    ...(index === 0 ? [] : ['']),
    span(`fill="${COLORS.comment}"`, `# ${comment}`),
    `${span(`fill="${COLORS.prompt}"`, '$')} ${span('font-weight="bold"', command)}`,
    ...output
      .split('\n')
      .slice(0, -1)
      .flatMap((line) => wrapped(line))
      .map(styled),
  ]);
  const width = Math.round(COLUMNS * CELL.width + 2 * PADDING.x);
  const height = lines.length * CELL.height + PADDING.top + PADDING.bottom;
  const rows = lines.map((line, index) => {
    const y = PADDING.top + index * CELL.height + 14;
    return line === '' ? '' : `<text x="${PADDING.x}" y="${y}">${line}</text>\n`;
  });
  const dots = ['#f2685f', '#f3bd4e', '#5fc65a'].map(
    (color, index) => `<circle cx="${24 + index * 20}" cy="18" r="6" fill="${color}"/>`,
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" aria-label="nsq in a terminal">
<rect width="${width}" height="${height}" rx="10" fill="${COLORS.background}"/>
<path d="M0 36V10A10 10 0 0 1 10 0H${width - 10}A10 10 0 0 1 ${width} 10V36Z" fill="${COLORS.bar}"/>
${dots.join('')}
<g font-family="ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace" font-size="14" fill="${COLORS.text}" xml:space="preserve">
${rows.join('')}</g>
</svg>
`;
}

/**
 * @param {string} attributes
 * @param {string} text
 */
function span(attributes, text) {
  return `<tspan ${attributes}>${escaped(text)}</tspan>`;
}

/** @param {string} text */
function escaped(text) {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

/**
 * Cuts a line where the terminal would; one with colours is taken to fit.
 * @param {string} line
 * @returns {string[]}
 */
function wrapped(line) {
  if (line.includes('\u001b') || line.length <= COLUMNS) return [line];
  return [line.slice(0, COLUMNS), ...wrapped(line.slice(COLUMNS))];
}

/** @param {string} line with escapes of colours */
function styled(line) {
  const open = new Set();
  // biome-ignore lint/suspicious/noControlCharactersInRegex: this is what the colours are made of
  return line.replaceAll(/(?:\u001b\[(\d+)m)|([^\u001b]+)/g, (_, code, text) => {
    if (text !== undefined) {
      const attributes = [...open].map((one) => STYLES[one] ?? '').join(' ');
      return attributes === '' ? escaped(text) : span(attributes, text);
    }
    if (code in STYLES) open.add(code);
    else for (const one of [...open]) if (isEnd(Number(code), Number(one))) open.delete(one);
    return '';
  });
}

/**
 * @param {number} code
 * @param {number} opened
 */
function isEnd(code, opened) {
  return code === 0 || (code === 22 && opened < 3) || (code === 39 && opened >= 30);
}
