import { MAX_BLOCK_SIZE, uncompressBlock } from './block.js';
import { maskedCrc32c } from './crc32c.js';
import { SnappyError } from './errors.js';
import { CHECKSUM_SIZE, CHUNK_HEADER_SIZE, ChunkType, STREAM_NAME } from './frame.js';

/** Bytes of a chunk with data at most: what the longest block can become (snappy's own bound), and the checksum. */
const MAX_CHUNK_SIZE = 32 + MAX_BLOCK_SIZE + Math.floor(MAX_BLOCK_SIZE / 6) + CHECKSUM_SIZE;

/** Reads a snappy stream from pieces that may be cut anywhere. Never keeps more than one chunk. */
export class SnappyDecoder {
  /** What has come of a cut chunk, its header included. */
  #part: Buffer = Buffer.allocUnsafe(CHUNK_HEADER_SIZE);
  #have = 0;
  /** Bytes that are still to be passed over. */
  #skip = 0;
  #begun = false;

  /** Whether the stream may end here: not within a chunk. */
  get isBetweenChunks(): boolean {
    return this.#have === 0 && this.#skip === 0;
  }

  /**
   * Reads on; `piece` need not stay as it is. `emit` gets the data, in buffers of their own.
   * @throws SnappyError, and the decoder is of no more use then
   */
  push(piece: Buffer, emit: (bytes: Buffer) => void): void {
    let at = 0;
    while (at < piece.length) {
      if (this.#skip > 0) {
        const step = Math.min(this.#skip, piece.length - at);
        this.#skip -= step;
        at += step;
      } else if (this.#have > 0 || at + CHUNK_HEADER_SIZE > piece.length) {
        at = this.#gather(piece, at, emit);
      } else {
        at = this.#readInPlace(piece, at, emit);
      }
    }
  }

  #readInPlace(piece: Buffer, at: number, emit: (bytes: Buffer) => void): number {
    const size = this.#sizeOf(piece, at);
    const data = at + CHUNK_HEADER_SIZE;
    if (this.#skip > 0) return data;
    if (data + size > piece.length) return this.#gather(piece, at, emit);
    this.#chunk(piece, at, data, data + size, emit);
    return data + size;
  }

  /** Adds to the cut chunk, first its header and then so much as that says. */
  #gather(piece: Buffer, from: number, emit: (bytes: Buffer) => void): number {
    let at = this.#fill(piece, from, CHUNK_HEADER_SIZE);
    if (this.#have < CHUNK_HEADER_SIZE) return at;
    const size = this.#sizeOf(this.#part, 0);
    if (this.#skip > 0) {
      this.#have = 0;
      return at;
    }
    const whole = CHUNK_HEADER_SIZE + size;
    if (this.#part.length < whole) {
      const grown = Buffer.allocUnsafe(CHUNK_HEADER_SIZE + MAX_CHUNK_SIZE);
      this.#part.copy(grown, 0, 0, this.#have);
      this.#part = grown;
    }
    at = this.#fill(piece, at, whole);
    if (this.#have < whole) return at;
    this.#have = 0;
    this.#chunk(this.#part, 0, CHUNK_HEADER_SIZE, whole, emit);
    return at;
  }

  #fill(piece: Buffer, at: number, until: number): number {
    const step = Math.max(0, Math.min(until - this.#have, piece.length - at));
    piece.copy(this.#part, this.#have, at, at + step);
    this.#have += step;
    return at + step;
  }

  /** The size of the chunk whose header is at `at`; 0 and `#skip` set for one that is passed over. */
  #sizeOf(bytes: Buffer, at: number): number {
    const type = bytes[at]!;
    const size = bytes.readUIntLE(at + 1, 3);
    if (!this.#begun && type !== ChunkType.Stream)
      throw new SnappyError('the stream does not begin with its identifier');
    if (type >= ChunkType.FirstSkippable && type !== ChunkType.Stream) {
      this.#skip = size;
      return 0;
    }
    if (type === ChunkType.Stream) {
      if (size !== STREAM_NAME.length) throw new SnappyError('a stream identifier of the wrong length');
    } else if (type > ChunkType.Uncompressed) {
      throw new SnappyError(`a chunk of the unknown type ${type}`);
    } else if (size < CHECKSUM_SIZE || size > MAX_CHUNK_SIZE) {
      throw new SnappyError(`a chunk of ${size} bytes`);
    }
    return size;
  }

  #chunk(bytes: Buffer, header: number, start: number, end: number, emit: (bytes: Buffer) => void): void {
    const type = bytes[header]!;
    if (type >= ChunkType.FirstSkippable) {
      if (type === ChunkType.Stream && bytes.compare(STREAM_NAME, 0, STREAM_NAME.length, start, end) !== 0)
        throw new SnappyError('a stream identifier that is none');
      this.#begun = true;
      return;
    }
    const block = this.#block(type, bytes, start + CHECKSUM_SIZE, end);
    if (bytes.readUInt32LE(start) !== maskedCrc32c(block)) throw new SnappyError('the checksum is wrong');
    if (block.length > 0) emit(block);
  }

  #block(type: number, bytes: Buffer, start: number, end: number): Buffer {
    if (type === ChunkType.Compressed) return uncompressBlock(bytes, start, end);
    if (end - start > MAX_BLOCK_SIZE)
      throw new SnappyError(`a block of ${end - start} bytes, more than ${MAX_BLOCK_SIZE} are not allowed`);
    return Buffer.from(bytes.subarray(start, end));
  }
}
