const DIGITS = String.raw`\d+(?:_\d+)*`;
const DECIMAL = new RegExp(
  String.raw`^[-+]?(?:${DIGITS}(?:\.(?:${DIGITS})?)?|\.${DIGITS})(?:e[-+]?${DIGITS})?$`,
  'i',
);
const HEXADECIMAL =
  /^(?<sign>[-+]?)0x(?<whole>(?:_?[\da-f])*)(?:\.(?<fraction>(?:[\da-f](?:_?[\da-f])*)?))?p(?<exponent>[-+]?\d+)$/i;

/** A finite number as Go's `strconv.ParseFloat` reads it; NaN for everything else. */
export function parseGoFloat(text: string): number {
  const value = DECIMAL.test(text) ? Number(text.replaceAll('_', '')) : hexadecimal(text);
  return Number.isFinite(value) ? value : Number.NaN;
}

function hexadecimal(text: string): number {
  const { sign, whole = '', fraction = '', exponent } = HEXADECIMAL.exec(text)?.groups ?? {};
  const after = fraction.replaceAll('_', '');
  const digits = whole.replaceAll('_', '') + after;
  if (digits === '') return Number.NaN;
  const value = Number(BigInt(`0x${digits}`)) * 2 ** (Number(exponent) - 4 * after.length);
  return sign === '-' ? -value : value;
}
