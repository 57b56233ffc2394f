import { FRAME_HEADER_SIZE, FrameType } from './frame.js';

/** Bytes of the frame's type field, which the frame's size counts. */
const TYPE_SIZE = 4;

/** The largest frame data taken unless told otherwise: 16 MiB, far above the daemon's `--max-msg-size` of 1 MiB. */
export const DEFAULT_MAX_FRAME_SIZE = 16 * 1024 * 1024;

/** What came from the daemon is no frame, or one beyond the bound. The stream cannot be read any further. */
export class FrameError extends Error {
  override readonly name = 'FrameError';
  readonly code: 'E_FRAME_SIZE' | 'E_FRAME_TYPE';

  constructor(code: 'E_FRAME_SIZE' | 'E_FRAME_TYPE', message: string) {
    super(message);
    this.code = code;
  }
}

/** What a web server begins its answers with, read as a size. */
const HTTP = Buffer.from('HTTP').readInt32BE(0);

/** For a size that no frame has, of `max` bytes of data at most. */
export function frameSizeError(size: number, max: number): FrameError {
  const words =
    size === HTTP
      ? 'HTTP is spoken there: the TCP address is meant, by default port 4150'
      : `frame size ${size} is not between ${TYPE_SIZE} and ${max + TYPE_SIZE}`;
  return new FrameError('E_FRAME_SIZE', words);
}

/** Takes one frame: its data are `bytes[start, end)`, valid for as long as the receiver keeps `bytes`. */
export type FrameSink = (type: FrameType, bytes: Buffer, start: number, end: number) => void;

export interface FrameDecoderOptions {
  /** The largest data of one frame, in bytes, header not counted. Default {@link DEFAULT_MAX_FRAME_SIZE}. */
  readonly maxFrameSize?: number;
}

/**
 * Cuts the daemon's byte stream into frames, however the bytes arrive. A frame that lies whole in a chunk is handed
 * over in place; one that is cut is gathered into a Buffer of its own, each byte copied once.
 *
 *     chunk   [..frame][frame][frame][fra      in place: (type, chunk, start, end)
 *     chunk   me][frame]...                    gathered: (type, own Buffer, 0, length)
 */
export class FrameDecoder {
  readonly #maxSize: number;
  readonly #header = Buffer.alloc(FRAME_HEADER_SIZE);
  #headerFilled = 0;
  #type: FrameType = FrameType.Response;
  /** Data of a cut frame whose header is known. */
  #data: Buffer | undefined;
  #dataFilled = 0;

  constructor(options: FrameDecoderOptions = {}) {
    this.#maxSize = options.maxFrameSize ?? DEFAULT_MAX_FRAME_SIZE;
  }

  /**
   * Takes the next bytes and hands every frame completed by them to `sink`, in order.
   * @throws FrameError when the bytes are no frame; the decoder is of no use after that
   */
  push(chunk: Buffer, sink: FrameSink): void {
    let at = this.#headerFilled === 0 ? 0 : this.#resume(chunk, sink);
    const length = chunk.length;
    while (length - at >= FRAME_HEADER_SIZE) {
      const size = this.#dataSize(chunk, at);
      const type = frameType(chunk, at + TYPE_SIZE);
      const start = at + FRAME_HEADER_SIZE;
      if (length - start < size) {
        this.#begin(type, size);
        this.#headerFilled = FRAME_HEADER_SIZE;
        this.#dataFilled = chunk.copy(this.#data!, 0, start);
        return;
      }
      at = start + size;
      sink(type, chunk, start, at);
    }
    if (at < length) this.#headerFilled = chunk.copy(this.#header, 0, at);
  }

  /** Goes on with a cut frame; gives the offset of the first byte behind it (the chunk's length while it is cut still). */
  #resume(chunk: Buffer, sink: FrameSink): number {
    let at = 0;
    if (this.#data === undefined) {
      at = chunk.copy(this.#header, this.#headerFilled);
      this.#headerFilled += at;
      if (this.#headerFilled < FRAME_HEADER_SIZE) return at;
      const size = this.#dataSize(this.#header, 0);
      this.#begin(frameType(this.#header, TYPE_SIZE), size);
    }
    const data = this.#data!;
    const copied = chunk.copy(data, this.#dataFilled, at);
    this.#dataFilled += copied;
    at += copied;
    if (this.#dataFilled === data.length) {
      this.#data = undefined;
      this.#headerFilled = 0;
      sink(this.#type, data, 0, data.length);
    }
    return at;
  }

  #begin(type: FrameType, size: number): void {
    this.#type = type;
    this.#data = Buffer.allocUnsafeSlow(size);
    this.#dataFilled = 0;
  }

  #dataSize(bytes: Buffer, at: number): number {
    const size = bytes.readInt32BE(at);
    if (size < TYPE_SIZE || size - TYPE_SIZE > this.#maxSize) {
      throw frameSizeError(size, this.#maxSize);
    }
    return size - TYPE_SIZE;
  }
}

function frameType(bytes: Buffer, at: number): FrameType {
  const type = bytes.readUInt32BE(at);
  if (type > FrameType.Message) throw new FrameError('E_FRAME_TYPE', `frame type ${type} is unknown`);
  return type as FrameType;
}
