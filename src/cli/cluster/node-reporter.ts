import type { NodeError } from './node-error.js';

/** Says once that a daemon does not answer, and once that it does again. */
export class NodeReporter {
  readonly #say: (line: string) => void;
  #known: ReadonlyMap<string, string> = new Map();

  constructor(say: (line: string) => void) {
    this.#say = say;
  }

  /** @param failures all that there are now */
  tell(failures: readonly NodeError[]): void {
    const now = new Map(failures.map(({ address, message }) => [address, message]));
    for (const [address, message] of now)
      if (this.#known.get(address) !== message) this.#say(`${address}: ${message}`);
    for (const address of this.#known.keys()) if (!now.has(address)) this.#say(`${address} answers again`);
    this.#known = now;
  }
}
