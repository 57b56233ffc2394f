export interface HttpErrorOptions extends ErrorOptions {
  /** Members of the body beside the code. */
  readonly fields?: Readonly<Record<string, unknown>>;
}

/** An error answer of the HTTP API: a status and the code in its body. */
export class HttpError extends Error {
  override readonly name = 'HttpError';
  readonly status: number;
  readonly code: string;
  readonly fields: Readonly<Record<string, unknown>> | undefined;

  constructor(status: number, code: string, options?: HttpErrorOptions) {
    super(code, options);
    this.status = status;
    this.code = code;
    this.fields = options?.fields;
  }
}

/** The first value of each query parameter. */
export type Query = ReadonlyMap<string, string>;

/**
 * Reads a query as Go's url.ParseQuery does: a bad escape or a semicolon is refused.
 * @throws HttpError 400 INVALID_REQUEST
 */
export function parseQuery(raw: string): Query {
  const query = new Map<string, string>();
  for (const pair of raw.split('&')) {
    if (pair === '') continue;
    if (pair.includes(';')) throw new HttpError(400, 'INVALID_REQUEST');
    const equals = pair.indexOf('=');
    const key = unescapeQuery(equals === -1 ? pair : pair.slice(0, equals));
    if (!query.has(key)) query.set(key, equals === -1 ? '' : unescapeQuery(pair.slice(equals + 1)));
  }
  return query;
}

function unescapeQuery(text: string): string {
  if (!/[%+]/.test(text)) return text;
  const plain = text.replaceAll('+', ' ');
  if (/%(?![0-9a-fA-F]{2})/.test(plain)) throw new HttpError(400, 'INVALID_REQUEST');
  try {
    return decodeURIComponent(plain);
  } catch {
    // Escapes that are no UTF-8: one character a byte, which no name may have.
    return plain.replace(/%([0-9a-fA-F]{2})/g, (_, hex: string) =>
      String.fromCharCode(Number.parseInt(hex, 16)),
    );
  }
}

const BOOLEANS: Readonly<Record<string, boolean>> = { true: true, '1': true, false: false, '0': false };

/** A yes or no; `otherwise` for no value, or one that is neither. */
export function booleanParam(query: Query, name: string, otherwise: boolean): boolean {
  const value = query.get(name) ?? '';
  return Object.hasOwn(BOOLEANS, value) ? BOOLEANS[value]! : otherwise;
}
