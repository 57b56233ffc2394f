import type { ChalkInstance } from 'chalk';

/** What is needed of standard error. */
export type TerminalStream = NodeJS.WritableStream & { readonly isTTY?: boolean };

export interface TerminalOptions {
  /** From `--color` or `--no-color`; otherwise NO_COLOR, TERM and the stream decide. */
  readonly color?: boolean | undefined;
  readonly stream?: TerminalStream;
  readonly environment?: NodeJS.ProcessEnv;
}

/** Where people look: standard error, with colour and movement only if it is a terminal that can show them. */
export class Terminal {
  readonly #stream: TerminalStream;
  /** Somebody watches: prose and spinners are welcome. */
  readonly interactive: boolean;
  /** What was written can be moved over and overwritten, and is not kept in the log of a build. */
  readonly animated: boolean;
  readonly #color: boolean;

  constructor({ color, stream = process.stderr, environment = process.env }: TerminalOptions = {}) {
    const dumb = environment.TERM === 'dumb';
    this.#stream = stream;
    this.interactive = stream.isTTY === true;
    this.animated = this.interactive && !dumb && !environment.CI;
    this.#color = color ?? (this.interactive && !dumb && !environment.NO_COLOR);
  }

  say(line: string): void {
    this.#stream.write(`${line}\n`);
  }

  warn(line: string): void {
    this.say(`warning: ${line}`);
  }

  /** Colours that are none where colour is off. Loaded only when something is to be shown. */
  async colors(): Promise<ChalkInstance> {
    const { Chalk } = await import('chalk');
    return new Chalk({ level: this.#color ? 1 : 0 });
  }

  /** A line that changes, or `undefined` where none can be shown. */
  async progress(text: string): Promise<Progress | undefined> {
    if (!this.animated) return undefined;
    const { default: ora } = await import('ora');
    const spinner = ora({
      text,
      stream: this.#stream,
      color: this.#color ? 'cyan' : false,
      discardStdin: false,
    });
    spinner.start();
    return {
      show: (line) => {
        spinner.text = line;
      },
      stop: () => {
        spinner.stop();
      },
    };
  }
}

export interface Progress {
  show(line: string): void;
  /** Takes the line away. */
  stop(): void;
}
