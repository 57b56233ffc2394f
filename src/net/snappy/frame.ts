/** Chunks of a snappy stream (framing format, 2): u8 type, u24 length in little-endian order, then so many bytes. */
export const CHUNK_HEADER_SIZE = 4;
export const CHECKSUM_SIZE = 4;

export const ChunkType = {
  Compressed: 0x00,
  Uncompressed: 0x01,
  FirstSkippable: 0x80,
  Stream: 0xff,
} as const;

/** What every stream begins with. */
export const STREAM_NAME = Buffer.from('sNaPpY');
