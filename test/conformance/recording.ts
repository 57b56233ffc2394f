import { mpubBody, sized, u32 } from '../support/wire.js';

/** The recordings' format; README.md beside them says what each part means. */
export interface Recording {
  readonly daemon: 'nsqd' | 'nsqlookupd';
  readonly flags: readonly string[];
  readonly cases: readonly Case[];
}

export interface Case {
  readonly name: string;
  readonly steps: readonly Step[];
}

export type Step =
  | { readonly open: string; readonly magic?: string }
  | { readonly on: string; readonly send: readonly Part[] }
  | {
      readonly on: string;
      readonly recv: readonly WantedFrame[];
      readonly closed?: boolean;
      /** Seconds, as `for`. */
      readonly quiet?: number;
      readonly for?: number;
      readonly unordered?: boolean;
      readonly better?: boolean;
    }
  | { readonly close: string }
  | { readonly sleep: number }
  | HttpStep;

export interface HttpStep {
  readonly http: {
    readonly path: string;
    readonly method: string;
    readonly body?: string;
    readonly hex?: string;
    readonly pick?: readonly string[];
  };
  readonly expect: {
    readonly status: number;
    readonly text?: string;
    readonly json?: unknown;
    readonly picked?: Readonly<Record<string, unknown>>;
  };
}

export type Part =
  | string
  | { readonly u32: number }
  | { readonly body: string }
  | { readonly fill: number }
  | { readonly json: unknown }
  | { readonly mpub: readonly string[] }
  | { readonly hex: string }
  | { readonly id: string };

export type WantedFrame =
  | { readonly response: unknown }
  | { readonly error: string }
  | { readonly message: string; readonly attempts: number };

/** Well-formed, and the id of no message: for the recordings that name a message that never came. */
const NO_MESSAGE = 'fedcba9876543210';

/** Puts the case's topic in place of `{T}`, at any depth. */
export function fillTopic<T>(value: T, topic: string): T {
  return JSON.parse(JSON.stringify(value).replaceAll('{T}', topic)) as T;
}

function latin1(text: string): Buffer {
  return Buffer.from(text, 'latin1');
}

/** The bytes of one part of a send; `id` finds the id that a reference like `a:0` means. */
export function encodePart(part: Part, topic: string, id: (reference: string) => string | undefined): Buffer {
  if (typeof part === 'string') return latin1(part.replaceAll('{T}', topic));
  if ('u32' in part) return u32(part.u32);
  if ('body' in part) return sized(latin1(part.body));
  if ('fill' in part) return sized(Buffer.alloc(part.fill, 'x'));
  if ('json' in part) return sized(JSON.stringify(part.json));
  if ('mpub' in part) return mpubBody(part.mpub.map(latin1));
  if ('hex' in part) return Buffer.from(part.hex, 'hex');
  return latin1(id(part.id) ?? NO_MESSAGE);
}
