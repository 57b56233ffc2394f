/** What a lookupd as a whole can fail with: an option out of range, or an address that cannot be listened on. */
export type LookupdErrorCode = 'E_OPTION' | 'E_LISTEN';

export class LookupdError extends Error {
  override readonly name = 'LookupdError';
  readonly code: LookupdErrorCode;

  constructor(code: LookupdErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
