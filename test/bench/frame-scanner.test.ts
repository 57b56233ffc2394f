import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FinishBuffer } from '../../bench/lib/finish-buffer.mjs';
import { FrameScanner } from '../../bench/lib/frame-scanner.mjs';

function frame(type: number, data: Buffer): Buffer {
  const head = Buffer.alloc(8);
  head.writeUInt32BE(4 + data.length);
  head.writeUInt32BE(type, 4);
  return Buffer.concat([head, data]);
}

/** Feeds the bytes in pieces that end at `cuts`, each in the same read buffer, and returns the frames found. */
function scan(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const found: Buffer[] = [];
  const scanner = new FrameScanner((chunk, at, type, size) => {
    expect(chunk[at + 7]).toBe(type);
    found.push(Buffer.from(chunk.subarray(at, at + size)));
  });
  const readBuffer = Buffer.alloc(bytes.length);
  const ends = [...new Set(cuts), bytes.length].filter((end) => end <= bytes.length).sort((a, b) => a - b);
  let start = 0;
  for (const end of ends) {
    scanner.scan(readBuffer, bytes.copy(readBuffer, 0, start, end));
    start = end;
  }
  return found;
}

describe('FrameScanner', () => {
  const anyFrame = fc
    .tuple(fc.nat(2), fc.uint8Array({ maxLength: 300 }))
    .map(([type, data]) => frame(type, Buffer.from(data)));

  it('finds the same frames however the bytes are cut', () => {
    fc.assert(
      fc.property(fc.array(anyFrame, { maxLength: 8 }), fc.array(fc.nat(2500)), (frames, cuts) => {
        expect(scan(Buffer.concat(frames), cuts)).toEqual(frames);
      }),
    );
  });

  it('finds frames that come byte by byte, and one larger than its own buffer', () => {
    const frames = [
      frame(0, Buffer.from('OK')),
      frame(2, Buffer.alloc(70_000, 7)),
      frame(1, Buffer.from('E')),
    ];
    const bytes = Buffer.concat(frames);
    expect(
      scan(
        bytes,
        Array.from({ length: 40 }, (_, i) => i),
      ),
    ).toEqual(frames);
    expect(scan(bytes, [65_000, 68_000, bytes.length - 3])).toEqual(frames);
  });
});

describe('FinishBuffer', () => {
  it('puts the ids of message frames into FIN commands', () => {
    const ids = ['0123456789abcdef', 'fedcba9876543210'];
    const frames = Buffer.concat(ids.map((id) => frame(2, Buffer.from(`tttttttt..${id}body`, 'latin1'))));
    const view = new DataView(frames.buffer, frames.byteOffset, frames.length);
    const fins = new FinishBuffer(2);
    fins.add(view, 0);
    fins.add(view, frames.length / 2);
    expect(fins.bytes.toString()).toBe(ids.map((id) => `FIN ${id}\n`).join(''));
  });
});
