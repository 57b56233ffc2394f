const NEEDS_ESCAPE = /[<>&\u2028\u2029]/;
const ESCAPED = new RegExp(NEEDS_ESCAPE, 'g');

/** JSON as Go's encoder, and so the original daemons, write it: it may stand within HTML. */
export function goJson(value: unknown): string {
  const text = JSON.stringify(value);
  if (!NEEDS_ESCAPE.test(text)) return text;
  return text.replace(ESCAPED, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
