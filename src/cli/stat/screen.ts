import type { WriteStream } from 'node:tty';
import { stripVTControlCharacters } from 'node:util';

const ESC = '\x1b[';
/** The other screen, without a cursor, and without wrapping: what is too long is cut and moves nothing. */
const ENTER = `${ESC}?1049h${ESC}?25l${ESC}?7l`;
const LEAVE = `${ESC}?7h${ESC}?25h${ESC}?1049l`;
/** Terminals that know it show the frame when it is whole; the others take no notice. */
const BEGIN_FRAME = `${ESC}?2026h`;
const END_FRAME = `${ESC}?2026l`;
const HOME = `${ESC}H`;
const CLEAR_LINE_END = `${ESC}K`;
const CLEAR_BELOW = `${ESC}J`;
const DEFAULT_SIZE = { width: 80, height: 24 };

type ScreenStream = Pick<WriteStream, 'write' | 'columns' | 'rows' | 'on' | 'off'>;

/** A terminal's other screen, drawn over in place; what was on the terminal before is there again afterwards. */
export class Screen {
  readonly #stream: ScreenStream;
  readonly #redraw: () => void;
  #isOn = false;
  readonly #leave = (): void => this.leave();
  readonly #suspend = (): void => {
    this.leave();
    // As if nobody had listened.
    process.kill(process.pid, 'SIGSTOP');
  };
  readonly #resume = (): void => {
    this.enter();
    this.#redraw();
  };

  /** @param redraw has the current picture drawn, since the size has changed or the terminal is ours again */
  constructor(stream: ScreenStream, redraw: () => void) {
    this.#stream = stream;
    this.#redraw = redraw;
  }

  get width(): number {
    return this.#stream.columns || DEFAULT_SIZE.width;
  }

  get height(): number {
    return this.#stream.rows || DEFAULT_SIZE.height;
  }

  enter(): void {
    if (this.#isOn) return;
    this.#isOn = true;
    this.#stream.write(ENTER);
    this.#stream.on('resize', this.#redraw);
    process.on('exit', this.#leave).on('SIGTSTP', this.#suspend).off('SIGCONT', this.#resume);
  }

  /** One write for all of it, over what is there: nothing flickers. */
  draw(lines: readonly string[]): void {
    if (!this.#isOn) return;
    // Behind a line that is full the cursor stands on its last letter: there is nothing to clear.
    const isFull = (line: string): boolean => stripVTControlCharacters(line).length >= this.width;
    const shown = lines.map((line) => (isFull(line) ? line : `${line}${CLEAR_LINE_END}`)).join('\r\n');
    const below = lines.length < this.height ? `\r\n${CLEAR_BELOW}` : '';
    this.#stream.write(`${BEGIN_FRAME}${HOME}${shown}${below}${END_FRAME}`);
  }

  leave(): void {
    if (!this.#isOn) return;
    this.#isOn = false;
    this.#stream.write(LEAVE);
    this.#stream.off('resize', this.#redraw);
    process.off('exit', this.#leave).off('SIGTSTP', this.#suspend).on('SIGCONT', this.#resume);
  }

  /** For good. */
  close(): void {
    this.leave();
    process.off('SIGCONT', this.#resume);
  }
}
