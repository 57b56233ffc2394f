const ESCAPES: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', 0: '\0', '\\': '\\' };

/** A delimiter or template as typed: `\n`, `\r`, `\t`, `\0`, `\\` and `\xNN` stand for their bytes. */
export function unescapeBytes(text: string): Buffer {
  // One character per byte, so that an escape can stand for any byte and UTF-8 around it stays whole.
  const bytes = Buffer.from(text).toString('latin1');
  const unescaped = bytes.replace(
    /\\(?:x([\da-fA-F]{2})|([nrt0\\]))/g,
    (_, hex: string | undefined, letter: string) =>
      hex === undefined ? ESCAPES[letter]! : String.fromCharCode(Number.parseInt(hex, 16)),
  );
  return Buffer.from(unescaped, 'latin1');
}
