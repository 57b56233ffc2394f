/**
 * Called for each frame: `chunk` holds it whole from `at`, `size` bytes with the header. The chunk is used again after
 * the call.
 * @callback OnFrame
 * @param {Buffer} chunk
 * @param {number} at
 * @param {number} type 0 response, 1 error, 2 message
 * @param {number} size
 * @returns {void}
 */

const HEADER = 8;

/**
 * Finds the frames in what a daemon sends, without looking into them and without allocating. Only a frame that is cut
 * by the end of a chunk is copied, into a buffer of the scanner's own.
 */
export class FrameScanner {
  /** @type {OnFrame} */
  #onFrame;
  #cut = Buffer.alloc(64 * 1024);
  #cutLength = 0;

  /** @param {OnFrame} onFrame */
  constructor(onFrame) {
    this.#onFrame = onFrame;
  }

  /**
   * @param {Buffer} chunk
   * @param {number} length how many of the chunk's bytes count
   */
  scan(chunk, length) {
    let at = this.#cutLength === 0 ? 0 : this.#mend(chunk, length);
    while (length - at >= HEADER) {
      const size = frameSize(chunk, at);
      if (length - at < size) break;
      this.#onFrame(chunk, at, /** @type {number} */ (chunk[at + 7]), size);
      at += size;
    }
    if (at < length) this.#keep(chunk, at, length);
  }

  /**
   * Completes the cut frame from the chunk's front; returns where the next frame starts.
   * @param {Buffer} chunk
   * @param {number} length
   */
  #mend(chunk, length) {
    let at = 0;
    if (this.#cutLength < HEADER) {
      at = Math.min(HEADER - this.#cutLength, length);
      this.#keep(chunk, 0, at);
      if (this.#cutLength < HEADER) return length;
    }
    const size = frameSize(this.#cut, 0);
    const end = Math.min(at + size - this.#cutLength, length);
    this.#keep(chunk, at, end);
    if (this.#cutLength === size) {
      this.#cutLength = 0;
      this.#onFrame(this.#cut, 0, /** @type {number} */ (this.#cut[7]), size);
    }
    return end;
  }

  /**
   * @param {Buffer} chunk
   * @param {number} start
   * @param {number} end
   */
  #keep(chunk, start, end) {
    const length = this.#cutLength + end - start;
    if (length > this.#cut.length) {
      const larger = Buffer.alloc(2 * length);
      this.#cut.copy(larger, 0, 0, this.#cutLength);
      this.#cut = larger;
    }
    chunk.copy(this.#cut, this.#cutLength, start, end);
    this.#cutLength = length;
  }
}

/**
 * Size of the frame at `at`, with its length field. By hand: `readUInt32BE` checks its arguments at every call.
 * @param {Buffer} chunk
 * @param {number} at
 */
function frameSize(chunk, at) {
  const high = (Number(chunk[at]) << 24) | (Number(chunk[at + 1]) << 16);
  return 4 + (high | (Number(chunk[at + 2]) << 8) | Number(chunk[at + 3]));
}
