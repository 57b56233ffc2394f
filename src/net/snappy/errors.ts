/** Bytes that are no snappy stream. */
export class SnappyError extends Error {
  override readonly name = 'SnappyError';
  readonly code = 'E_SNAPPY';
}
