/**
 * Buffers of slabs that nobody holds any more. Under load a slab is filled every few milliseconds: making each anew
 * would cost a third of the time in garbage collection and page faults.
 */
const MOST_BYTES = 32 * 1024 * 1024;
const SMALLEST_KEPT = 256 * 1024;
const LARGEST_KEPT = 1024 * 1024;

const free = new Map<number, Buffer[]>();
let freeBytes = 0;

/** A buffer of `size` bytes, with anything in it. */
export function takeBuffer(size: number): Buffer {
  const buf = free.get(size)?.pop();
  if (!buf) return Buffer.allocUnsafeSlow(size);
  freeBytes -= size;
  return buf;
}

/** Gives a buffer back. Nobody may use it any more. */
export function giveBuffer(buf: Buffer): void {
  const size = buf.length;
  if (size < SMALLEST_KEPT || size > LARGEST_KEPT || freeBytes + size > MOST_BYTES) return;
  const list = free.get(size);
  if (list) list.push(buf);
  else free.set(size, [buf]);
  freeBytes += size;
}
