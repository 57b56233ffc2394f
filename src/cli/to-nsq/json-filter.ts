import { parseGoFloat } from './go-float.js';
import { formatGoObject, type GoObject, parseGoObject, wellFormed } from './go-json.js';

export interface JsonFilterOptions {
  /** Only messages with this field pass. Needed for `requireValue`. */
  readonly requireField: string | undefined;
  /** Only messages whose field has this value pass: a string as it is, or a number. */
  readonly requireValue: string | undefined;
  /** The fields that are passed on; all, and the message as it is, when there is none. */
  readonly whitelist: readonly string[];
}

/**
 * - `pass`: with this body
 * - `drop`: it is not wanted
 * - `invalid`: it is no JSON object; it is dropped
 * - `incomplete`: the field whose value is required is not there
 */
export type Verdict =
  | { readonly kind: 'pass'; readonly body: Buffer }
  | { readonly kind: 'drop' | 'invalid' | 'incomplete' };

const DROP: Verdict = { kind: 'drop' };

/** nsq_to_nsq's filters. */
export class JsonFilter {
  readonly #field: string;
  readonly #value: string;
  /** The number that the value stands for, or NaN, which is equal to none. */
  readonly #number: number;
  readonly #whitelist: readonly string[];

  constructor({ requireField = '', requireValue = '', whitelist }: JsonFilterOptions) {
    this.#field = requireField;
    this.#value = requireValue;
    this.#number = parseGoFloat(requireValue);
    this.#whitelist = whitelist;
  }

  /** Whether it lets everything through as it is. */
  get isEmpty(): boolean {
    return this.#field === '' && this.#whitelist.length === 0;
  }

  apply(body: Buffer): Verdict {
    if (this.isEmpty) return { kind: 'pass', body };
    let fields: GoObject;
    try {
      fields = parseGoObject(body);
    } catch {
      return { kind: 'invalid' };
    }
    if (this.#field !== '') {
      if (!fields.has(this.#field)) return this.#value === '' ? DROP : { kind: 'incomplete' };
      if (this.#value !== '' && !this.#isWanted(fields.get(this.#field))) return DROP;
    }
    return { kind: 'pass', body: this.#whitelist.length === 0 ? body : this.#reduced(fields) };
  }

  #isWanted(value: unknown): boolean {
    return typeof value === 'string' ? wellFormed(value) === this.#value : value === this.#number;
  }

  #reduced(fields: GoObject): Buffer {
    const kept = new Map<string, unknown>();
    for (const name of this.#whitelist) if (fields.has(name)) kept.set(name, fields.get(name));
    return Buffer.from(formatGoObject(kept));
  }
}
