/** Fields whatever their case, as Go finds them: with keys in lower case, at every depth. */
export function foldKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(foldKeys);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, field]) => [key.toLowerCase(), foldKeys(field)]),
  );
}
