import { compressBlock, MAX_BLOCK_SIZE } from './block.js';
import { maskedCrc32c } from './crc32c.js';
import { CHECKSUM_SIZE, CHUNK_HEADER_SIZE, ChunkType, STREAM_NAME } from './frame.js';

const STREAM_CHUNK = Buffer.concat([Buffer.from([ChunkType.Stream, STREAM_NAME.length, 0, 0]), STREAM_NAME]);
/** Less than this cannot become shorter. */
const WORTH_COMPRESSING = 16;

/** Writes a snappy stream. Nothing is held back: what is encoded can be decoded at once. */
export class SnappyEncoder {
  #begun = false;

  /** The chunks that stand for `bytes`, which need not stay as they are. */
  encode(bytes: Buffer): Buffer[] {
    const chunks: Buffer[] = [];
    if (!this.#begun) chunks.push(STREAM_CHUNK);
    this.#begun = true;
    for (let at = 0; at < bytes.length; at += MAX_BLOCK_SIZE)
      chunks.push(encodeBlock(bytes.subarray(at, at + MAX_BLOCK_SIZE)));
    return chunks;
  }
}

/** As it is, unless compression saves an eighth. */
function encodeBlock(block: Buffer): Buffer {
  const packed = block.length < WORTH_COMPRESSING ? block : compressBlock(block);
  const isWorth = packed.length < block.length - block.length / 8;
  const data = isWorth ? packed : block;
  const chunk = Buffer.allocUnsafe(CHUNK_HEADER_SIZE + CHECKSUM_SIZE + data.length);
  chunk[0] = isWorth ? ChunkType.Compressed : ChunkType.Uncompressed;
  chunk.writeUIntLE(CHECKSUM_SIZE + data.length, 1, 3);
  chunk.writeUInt32LE(maskedCrc32c(block), CHUNK_HEADER_SIZE);
  data.copy(chunk, CHUNK_HEADER_SIZE + CHECKSUM_SIZE);
  return chunk;
}
