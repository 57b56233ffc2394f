import type { Logger } from '../daemon/logger.js';

/** What a server's routes are about: the daemon. */
export interface HttpContext {
  readonly logger: Logger;
}

/** One request, as its route's handler gets it. */
export interface HttpCall {
  /** What is behind the question mark, as sent. */
  readonly rawQuery: string;
  /** What the last part of the path named, for a route that ends in a slash, as `/config/`. */
  readonly option: string;
  readonly body: Buffer;
  /** Calls `listener` once, when the answer is out or the client has gone. */
  onClosed(listener: () => void): void;
}

/** Text as it is, nothing for an empty body, everything else as JSON; `encoded` is JSON already. */
export type Answer = string | undefined | { readonly json: unknown } | { readonly encoded: Buffer };

export interface Route<C, R> {
  readonly handle: (request: R) => Answer | Promise<Answer>;
  /** Bytes of body that are read at most; what is longer is answered with `tooLarge`. */
  readonly limit: (context: C) => number;
  readonly tooLarge: string;
  /** Answered in plain text, an error too, and without the header that tells the API's version: `/ping`. */
  readonly plain?: boolean;
  /** Not logged: requests that come by the thousand. */
  readonly quiet?: boolean;
}

/** Paths, and each one's methods. A path that ends in a slash stands for all that have one more part. */
export type Routes<C, R> = ReadonlyMap<string, Readonly<Record<string, Route<C, R>>>>;
