import fc from 'fast-check';

/** Ways to cut bytes: whole, byte by byte, and at the places given. */
export function chunked(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const places = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].sort((a, b) => a - b);
  const chunks: Buffer[] = [];
  let from = 0;
  for (const to of [...places, bytes.length]) {
    chunks.push(bytes.subarray(from, to));
    from = to;
  }
  return chunks;
}

/** Runs `decode` over the bytes whole, byte by byte, and in random chunks; `check` gets the outcome of each. */
export function everySplit<T>(
  bytes: Buffer,
  decode: (chunks: readonly Buffer[]) => T,
  check: (outcome: T) => void,
): void {
  check(decode([bytes]));
  check(decode(Array.from(bytes, (_, at) => bytes.subarray(at, at + 1))));
  fc.assert(
    fc.property(fc.array(fc.nat(), { maxLength: 12 }), (cuts) => {
      check(decode(chunked(bytes, cuts)));
    }),
    { numRuns: 30 },
  );
}
