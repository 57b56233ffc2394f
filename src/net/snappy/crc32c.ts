const POLYNOMIAL = 0x82f63b78;
const TABLES = 8;

/** TABLES[k][b]: what byte b adds to the sum when k more bytes follow it. */
const table = makeTable();

function makeTable(): Int32Array {
  const values = new Int32Array(256 * TABLES);
  for (let byte = 0; byte < 256; byte++) {
    let sum = byte;
    for (let bit = 0; bit < 8; bit++) sum = sum & 1 ? (sum >>> 1) ^ POLYNOMIAL : sum >>> 1;
    values[byte] = sum;
  }
  for (let i = 256; i < values.length; i++) {
    const before = values[i - 256]!;
    values[i] = (before >>> 8) ^ values[before & 0xff]!;
  }
  return values;
}

/** CRC-32C (Castagnoli) of `bytes[start, end)`, unsigned; `zlib.crc32` is another polynomial's. */
function crc32c(bytes: Buffer, start = 0, end = bytes.length): number {
  let sum = -1;
  let at = start;
  for (; at + 8 <= end; at += 8) {
    const low = sum ^ (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24));
    sum =
      table[0x700 | (low & 0xff)]! ^
      table[0x600 | ((low >>> 8) & 0xff)]! ^
      table[0x500 | ((low >>> 16) & 0xff)]! ^
      table[0x400 | (low >>> 24)]! ^
      table[0x300 | bytes[at + 4]!]! ^
      table[0x200 | bytes[at + 5]!]! ^
      table[0x100 | bytes[at + 6]!]! ^
      table[bytes[at + 7]!]!;
  }
  for (; at < end; at++) sum = (sum >>> 8) ^ table[(sum ^ bytes[at]!) & 0xff]!;
  return ~sum >>> 0;
}

/** As the framing format stores it: rotated, and a constant added. */
export function maskedCrc32c(bytes: Buffer, start = 0, end = bytes.length): number {
  const sum = crc32c(bytes, start, end);
  return (((sum >>> 15) | (sum << 17)) + 0xa282ead8) >>> 0;
}
