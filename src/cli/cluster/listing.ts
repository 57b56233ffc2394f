import { RunError } from '../errors.js';
import { defineSettings } from '../settings.js';
import type { Terminal } from '../terminal.js';
import { CLUSTER_SETTINGS } from './cluster-settings.js';
import type { NodeError } from './node-error.js';
import { NodeReporter } from './node-reporter.js';

/** What the commands that list names can be told. */
export const LISTING_SETTINGS = defineSettings({
  ...CLUSTER_SETTINGS,
  json: { kind: 'boolean', default: false, doc: 'print a JSON object a line' },
});

/** What has not answered, once: then the names are not all there are. */
export class Gaps {
  readonly #addresses = new Set<string>();
  readonly #reporter: NodeReporter;

  constructor(terminal: Terminal) {
    this.#reporter = new NodeReporter((line) => terminal.warn(line));
  }

  note(failures: readonly NodeError[]): void {
    const fresh = failures.filter(({ address }) => !this.#addresses.has(address));
    if (fresh.length > 0) this.#reporter.tell(failures);
    for (const { address } of fresh) this.#addresses.add(address);
  }

  /** Throws {@link RunError} if there is a gap. */
  check(): void {
    if (this.#addresses.size === 0) return;
    throw new RunError(`the list is without ${[...this.#addresses].join(', ')}`, {
      hint: 'The warning above says why',
    });
  }
}
