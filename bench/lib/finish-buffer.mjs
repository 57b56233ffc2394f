const COMMAND = 'FIN 0123456789abcdef\n';
const ID_IN_COMMAND = 4;
const ID_IN_FRAME = 18;

/** FIN commands, laid out before the run: a message costs the copy of its id. */
export class FinishBuffer {
  /** How many FINs it holds. */
  count = 0;
  #bytes;
  #view;

  /** @param {number} capacity in messages */
  constructor(capacity) {
    this.#bytes = Buffer.from(COMMAND.repeat(capacity), 'latin1');
    this.#view = new DataView(this.#bytes.buffer, this.#bytes.byteOffset, this.#bytes.length);
  }

  /**
   * Adds the FIN of the message whose frame starts at `at`.
   * @param {DataView} frames
   * @param {number} at
   */
  add(frames, at) {
    const view = this.#view;
    const to = this.count * COMMAND.length + ID_IN_COMMAND;
    const from = at + ID_IN_FRAME;
    view.setInt32(to, frames.getInt32(from));
    view.setInt32(to + 4, frames.getInt32(from + 4));
    view.setInt32(to + 8, frames.getInt32(from + 8));
    view.setInt32(to + 12, frames.getInt32(from + 12));
    this.count += 1;
  }

  /** The commands added so far, in place. */
  get bytes() {
    return this.#bytes.subarray(0, this.count * COMMAND.length);
  }
}
