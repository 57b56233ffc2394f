/**
 * A message's id on the wire is 16 lower-case hex digits of a 64-bit number. The daemon here puts its node id into the
 * upper 10 bits and a number that counts up within the topic into the lower 54; clients take the id as opaque.
 * 64 bits are carried as two 32-bit halves, since a JavaScript number holds 53.
 */
const HEX_PAIRS = new Uint16Array(256);
const HEX_VALUES = new Int8Array(256).fill(-1);
for (let i = 0; i < 256; i++) {
  const text = i.toString(16).padStart(2, '0');
  HEX_PAIRS[i] = (text.charCodeAt(0) << 8) | text.charCodeAt(1);
}
for (let i = 0; i < 16; i++) HEX_VALUES[i.toString(16).charCodeAt(0)] = i;

function writeHexByte(buf: Buffer, at: number, byte: number): void {
  const pair = HEX_PAIRS[byte]!;
  buf[at] = pair >>> 8;
  buf[at + 1] = pair & 0xff;
}

/** Writes 8 hex digits of a 32-bit half. */
export function writeHex32(buf: Buffer, at: number, value: number): void {
  writeHexByte(buf, at, value >>> 24);
  writeHexByte(buf, at + 2, (value >>> 16) & 0xff);
  writeHexByte(buf, at + 4, (value >>> 8) & 0xff);
  writeHexByte(buf, at + 6, value & 0xff);
}

/** Reads 8 lower-case hex digits as a number from 0 to 2^32 - 1; -1 if one of them is none. */
export function readHex32(buf: Buffer, at: number): number {
  let value = 0;
  let bad = 0;
  for (let i = at; i < at + 8; i++) {
    const digit = HEX_VALUES[buf[i]!]!;
    bad |= digit;
    value = (value << 4) | (digit & 0xf);
  }
  return bad < 0 ? -1 : value >>> 0;
}
