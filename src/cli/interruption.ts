import { ExitCode } from './errors.js';

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

/**
 * The way a command is stopped: the first SIGINT or SIGTERM aborts `signal`, so that the command stops taking, finishes
 * and closes; the second ends the process at once with 130.
 */
export class Interruption {
  readonly #controller = new AbortController();
  readonly #say: (line: string) => void;
  readonly #inFlight: () => string;
  readonly #onSignal = (name: NodeJS.Signals): void => this.#interrupt(name);

  /** @param inFlight what has to be finished first, in words, e.g. `3 messages in flight`; '' for nothing, the default */
  constructor(say: (line: string) => void, inFlight: () => string = () => '') {
    this.#say = say;
    this.#inFlight = inFlight;
    for (const name of SIGNALS) process.on(name, this.#onSignal);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Resolves with the first signal. */
  wait(): Promise<void> {
    if (this.signal.aborted) return Promise.resolve();
    return new Promise((resolve) => this.signal.addEventListener('abort', () => resolve(), { once: true }));
  }

  /** After a signal the process is about to end: a second one still ends it at once. */
  dispose(): void {
    if (this.signal.aborted) return;
    for (const name of SIGNALS) process.off(name, this.#onSignal);
  }

  #interrupt(name: NodeJS.Signals): void {
    if (this.signal.aborted) process.exit(ExitCode.Interrupted);
    const inFlight = this.#inFlight();
    this.#say(`${name}: stopping${inFlight === '' ? '' : `, ${inFlight}`} (again to stop at once)`);
    this.#controller.abort(name);
  }
}
