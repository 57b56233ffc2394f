/** Fields whatever their case, as Go finds them: with keys in lower case, at every depth. */
export function foldKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(foldKeys);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, field]) => [key.toLowerCase(), foldKeys(field)]),
  );
}

const ESCAPED = /[<>&\u2028\u2029]/g;

/** JSON as Go's encoder writes it, which may stand within HTML. */
export function goJson(value: unknown): string {
  return JSON.stringify(value).replace(
    ESCAPED,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
