import { isUtf8 } from 'node:buffer';

/**
 * JSON as Go's encoding/json reads it into a `map[string]interface{}` and writes it again, since the filters of
 * nsq_to_nsq have that between their input and their output: numbers are float64, objects come out with their keys
 * sorted, bytes that are no UTF-8 are U+FFFD.
 */
export type GoObject = ReadonlyMap<string, unknown>;

/** Nested deeper than this, Go refuses it. */
const MAX_DEPTH = 10_000;
/** A number can only be out of float64's range if this is somewhere in the text. */
const MAY_OVERFLOW = /\d[eE]\+?\d{3}|\d{200}/;

/** An object, or `null` as an empty one. Throws a `SyntaxError` on everything else. */
export function parseGoObject(bytes: Buffer): GoObject {
  if (bytes.length > MAX_DEPTH) checkDepth(bytes);
  const text = goText(bytes);
  const value: unknown = JSON.parse(text);
  if (value === null) return new Map();
  if (!isObject(value)) throw new SyntaxError('the JSON is no object');
  if (MAY_OVERFLOW.test(text)) checkNumbers(value);
  return fieldsOf(value);
}

/** The text of an object with these fields. */
export function formatGoObject(fields: GoObject): string {
  return formatPieces(objectPieces(fields, fieldPieces));
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function fieldsOf(value: Readonly<Record<string, unknown>>): GoObject {
  return new Map(Object.entries(value).map(([key, field]) => [wellFormed(key), field]));
}

/** Half a surrogate pair, which only an escape can make, is U+FFFD to Go. */
export function wellFormed(text: string): string {
  return text.replace(/\p{Surrogate}/gu, '\ufffd');
}

/** UTF-8 as Go reads it: one U+FFFD for each byte that is none, where Node has one for several. */
function goText(bytes: Buffer): string {
  if (isUtf8(bytes)) return bytes.toString();
  let text = '';
  let start = 0;
  for (let at = 0; at < bytes.length; ) {
    const size = characterSize(bytes, at);
    at += size || 1;
    if (size > 0) continue;
    text += `${bytes.toString('utf8', start, at - 1)}\ufffd`;
    start = at;
  }
  return text + bytes.toString('utf8', start);
}

/** How many bytes the character at `at` has; 0 if it is none. */
function characterSize(bytes: Buffer, at: number): number {
  const first = bytes[at]!;
  if (first < 0x80) return 1;
  const size = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  return at + size <= bytes.length && isUtf8(bytes.subarray(at, at + size)) ? size : 0;
}

function checkDepth(bytes: Buffer): void {
  let depth = 0;
  let isString = false;
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at];
    if (byte === 0x22) isString = !isString;
    else if (isString) at += byte === 0x5c ? 1 : 0;
    else if (byte === 0x5b || byte === 0x7b) depth++;
    else if (byte === 0x5d || byte === 0x7d) depth--;
    if (depth > MAX_DEPTH) throw new SyntaxError('the JSON is nested too deep');
  }
}

function checkNumbers(root: unknown): void {
  const left: unknown[] = [root];
  while (left.length > 0) {
    const value = left.pop();
    if (value === Number.POSITIVE_INFINITY || value === Number.NEGATIVE_INFINITY)
      throw new SyntaxError('a number of the JSON is out of range');
    if (typeof value === 'object' && value !== null) for (const part of Object.values(value)) left.push(part);
  }
}

/** A field of the outermost object: nsq_to_nsq writes whole numbers as int64 there, with all digits they have. */
function fieldPieces(value: unknown): readonly Piece[] {
  const isInt64 =
    typeof value === 'number' && Number.isInteger(value) && value >= -(2 ** 63) && value < 2 ** 63;
  return isInt64 ? [String(BigInt(value))] : [{ value }];
}

/** Text, or a value that is still to be formatted. */
type Piece = string | { readonly value: unknown };

/** Without recursion: what Go reads may be nested deeper than there is stack. */
function formatPieces(pieces: readonly Piece[]): string {
  let text = '';
  const left = pieces.toReversed();
  for (let piece = left.pop(); piece !== undefined; piece = left.pop()) {
    if (typeof piece === 'string') text += piece;
    else for (const part of piecesOf(piece.value).reverse()) left.push(part);
  }
  return text;
}

function piecesOf(value: unknown): Piece[] {
  if (typeof value === 'string') return [formatString(value)];
  if (isObject(value)) return objectPieces(fieldsOf(value), (field) => [{ value: field }]);
  if (!Array.isArray(value)) return [Object.is(value, -0) ? '-0' : String(value)];
  return ['[', ...value.flatMap((part, at): Piece[] => [at === 0 ? '' : ',', { value: part }]), ']'];
}

/** Sorted by the bytes of the keys. */
function objectPieces(fields: GoObject, pieces: (value: unknown) => readonly Piece[]): Piece[] {
  const keys = [...fields.keys()].map((key) => ({ key, bytes: Buffer.from(key) }));
  keys.sort((one, other) => Buffer.compare(one.bytes, other.bytes));
  const parts = keys.flatMap(({ key }, at): Piece[] => [
    `${at === 0 ? '' : ','}${formatString(key)}:`,
    ...pieces(fields.get(key)),
  ]);
  return ['{', ...parts, '}'];
}

/** What Go escapes besides that what JSON.stringify does, or in another way. */
function formatString(text: string): string {
  return JSON.stringify(wellFormed(text)).replace(/\\\\|\\[bf]|[<>&\u2028\u2029]/g, (found) =>
    found === '\\\\' ? found : unicodeEscape(found),
  );
}

function unicodeEscape(found: string): string {
  const code = found === '\\b' ? 8 : found === '\\f' ? 12 : found.charCodeAt(0);
  return `\\u${code.toString(16).padStart(4, '0')}`;
}
