/** A body as callers give it; text is sent as UTF-8. */
export type Body = Buffer | Uint8Array | string;

export function toBuffer(bytes: Body): Buffer {
  if (typeof bytes === 'string') return Buffer.from(bytes);
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** As an MPUB body: `u32 count`, then `u32 size | body` each. */
export function encodeBatch(bodies: readonly Buffer[]): Buffer {
  const batch = Buffer.allocUnsafe(bodies.reduce((size, { length }) => size + 4 + length, 4));
  let at = batch.writeUInt32BE(bodies.length, 0);
  for (const body of bodies) {
    at = batch.writeUInt32BE(body.length, at);
    at += body.copy(batch, at);
  }
  return batch;
}
