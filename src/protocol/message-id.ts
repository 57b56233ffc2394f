/**
 * A message's id on the wire is 16 lower-case hex digits of a 64-bit number. The daemon here puts its node id into the
 * upper 10 bits and a number that counts up within the topic into the lower 54; clients take the id as opaque.
 * 64 bits are carried as two 32-bit halves, since a JavaScript number holds 53.
 */
const HEX_VALUES = new Int8Array(256).fill(-1);
for (let i = 0; i < 16; i++) HEX_VALUES[i.toString(16).charCodeAt(0)] = i;

/** The four digits of every 16-bit number, as they stand in the bytes of a big-endian u32. */
const HEX_DIGITS = new Uint32Array(65536);
for (let i = 0; i < 65536; i++) HEX_DIGITS[i] = Buffer.from(i.toString(16).padStart(4, '0')).readUInt32BE();

/** Writes 8 hex digits of a 32-bit half. */
export function writeHex32(view: DataView, at: number, value: number): void {
  view.setUint32(at, HEX_DIGITS[value >>> 16]!);
  view.setUint32(at + 4, HEX_DIGITS[value & 0xffff]!);
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
