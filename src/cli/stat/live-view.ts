import type { ReadStream, WriteStream } from 'node:tty';
import type { ChalkInstance } from 'chalk';
import { formatDuration } from '../../protocol/duration.js';
import type { Sample } from '../cluster/cluster.js';
import { RunError } from '../errors.js';
import { type FrameOptions, firstRow, frame } from './frame.js';
import { listenToKeys } from './keyboard.js';
import { makeReport, type Report } from './report.js';
import { Screen } from './screen.js';
import type { Selection } from './selection.js';

export interface LiveViewOptions {
  readonly samples: AsyncIterable<Sample | RunError>;
  readonly intervalMs: number;
  /** Reports to show after the first sample; undefined for no end. */
  readonly count: number | undefined;
  readonly perNode: boolean;
  readonly select: Selection;
  readonly isTree: boolean;
  readonly colors: ChalkInstance;
  readonly stdout: WriteStream;
  readonly stdin: ReadStream;
  /** Ends the samples. */
  readonly end: () => void;
}

const KEYS = 'up, down and page keys';

/**
 * A table that is drawn over with each sample, until the samples end or `count` is reached; then the last picture is
 * left in the terminal. Rejects if the first sample is none; later it says so and waits for the next one.
 */
export async function liveView(options: LiveViewOptions): Promise<void> {
  const { intervalMs, perNode, samples } = options;
  const view = new View(options);
  let earlier: Sample | undefined;
  let shown = 0;
  try {
    for await (const sample of samples) {
      if (sample instanceof RunError) {
        if (!earlier) throw sample;
        view.trouble(sample);
        continue;
      }
      view.show(makeReport(sample, { earlier, intervalMs, perNode }));
      if (earlier) shown++;
      earlier = sample;
      if (shown === options.count) break;
    }
  } finally {
    view.close();
  }
}

/** What is on the screen, and how it gets there. */
class View {
  readonly #options: LiveViewOptions;
  readonly #screen: Screen;
  readonly #stopKeys: () => void;
  #report: Report | undefined;
  #trouble: string | undefined;
  #offset = 0;

  constructor(options: LiveViewOptions) {
    this.#options = options;
    this.#screen = new Screen(options.stdout, () => this.#draw());
    this.#stopKeys = listenToKeys(
      options.stdin,
      () => Math.max(1, this.#screen.height - 6),
      (key) => {
        if (key === 'end') return options.end();
        const rows = this.#report?.rows.length ?? 0;
        this.#offset = firstRow(this.#offset + key, rows, 1);
        this.#draw();
      },
    );
  }

  show(report: Report): void {
    this.#report = report;
    this.#trouble = undefined;
    this.#screen.enter();
    this.#draw();
  }

  trouble(error: RunError): void {
    this.#trouble = error.message;
    this.#draw();
  }

  close(): void {
    this.#stopKeys();
    this.#screen.close();
    // One line less: the prompt comes below.
    if (this.#report) this.#options.stdout.write(`${this.#frame(this.#report, 1, '').join('\n')}\n`);
  }

  #draw(): void {
    if (this.#report) this.#screen.draw(this.#frame(this.#report, 0, KEYS));
  }

  #frame(report: Report, spare: number, keys: string): string[] {
    const { select, intervalMs, isTree, perNode, colors } = this.#options;
    const { width, height } = this.#screen;
    const options: FrameOptions = {
      ...{ rows: select(report.rows), width, height: height - spare, offset: this.#offset },
      ...{ pace: formatDuration(intervalMs), isTree, perNode, colors, keys },
      ...(this.#trouble === undefined ? {} : { trouble: this.#trouble }),
    };
    return frame(report, options);
  }
}
