import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeFrame, FRAME_HEADER_SIZE, FrameType } from '../../src/protocol/frame.js';
import { FrameDecoder, type FrameDecoderOptions } from '../../src/protocol/frame-decoder.js';
import { everySplit } from './support/splits.js';

type Seen = readonly [type: number, data: string];

function decode(chunks: readonly Buffer[], options?: FrameDecoderOptions): { seen: Seen[]; error?: unknown } {
  const decoder = new FrameDecoder(options);
  const seen: Seen[] = [];
  try {
    for (const chunk of chunks) {
      decoder.push(chunk, (type, bytes, start, end) =>
        seen.push([type, bytes.toString('latin1', start, end)]),
      );
    }
  } catch (error) {
    return { seen, error };
  }
  return { seen };
}

function header(size: number, type: number): Buffer {
  const bytes = Buffer.alloc(FRAME_HEADER_SIZE);
  bytes.writeInt32BE(size, 0);
  bytes.writeInt32BE(type, 4);
  return bytes;
}

describe('FrameDecoder', () => {
  it('gives the same frames however the bytes are split', () => {
    const frames: [FrameType, string][] = [
      [FrameType.Response, 'OK'],
      [FrameType.Response, ''],
      [FrameType.Error, 'E_FIN_FAILED FIN failed'],
      [FrameType.Message, 'm'.repeat(300)],
      [FrameType.Response, '_heartbeat_'],
    ];
    const bytes = Buffer.concat(frames.map(([type, data]) => encodeFrame(type, data)));
    everySplit(bytes, decode, (outcome) => expect(outcome).toEqual({ seen: frames }));
  });

  it('gives the frames of any stream in any split', () => {
    const frame = fc.tuple(fc.constantFrom(0, 1, 2), fc.string({ unit: 'binary-ascii', maxLength: 40 }));
    fc.assert(
      fc.property(fc.array(frame, { maxLength: 8 }), (frames) => {
        const bytes = Buffer.concat(frames.map(([type, data]) => encodeFrame(type as FrameType, data)));
        everySplit(bytes, decode, (outcome) => expect(outcome.seen).toEqual(frames));
      }),
      { numRuns: 20 },
    );
  });

  it('hands a frame over in place when it lies whole in a chunk', () => {
    const chunk = Buffer.concat([
      encodeFrame(FrameType.Response, 'OK'),
      encodeFrame(FrameType.Message, 'body'),
    ]);
    const places: unknown[] = [];
    new FrameDecoder().push(chunk, (_type, bytes, start, end) => places.push([bytes === chunk, start, end]));
    expect(places).toEqual([
      [true, 8, 10],
      [true, 18, 22],
    ]);
  });

  it('copies a large frame of many chunks once', () => {
    const size = 8 * 1024 * 1024;
    const decoder = new FrameDecoder();
    let frames = 0;
    const piece = Buffer.alloc(1024, 'x');
    decoder.push(header(size + 4, FrameType.Message), () => frames++);
    const started = performance.now();
    for (let sent = 0; sent < size; sent += piece.length) {
      decoder.push(piece, (_type, bytes, start, end) => {
        frames++;
        expect(end - start).toBe(size);
        expect(bytes[end - 1]).toBe(0x78);
      });
    }
    expect(frames).toBe(1);
    // 8,192 chunks copied again for each other would be 32 GiB.
    expect(performance.now() - started).toBeLessThan(2000);
  });

  it.each([
    ['negative', header(-1, 0), 'E_FRAME_SIZE'],
    ['without room for the type', header(3, 0), 'E_FRAME_SIZE'],
    ['zero', header(0, 0), 'E_FRAME_SIZE'],
    ['beyond the bound', header(16 * 1024 * 1024 + 5, 2), 'E_FRAME_SIZE'],
    ['the largest number', header(0x7fffffff, 2), 'E_FRAME_SIZE'],
    ['HTTP', Buffer.from('HTTP/1.1 400 Bad Request\r\n'), 'E_FRAME_SIZE'],
    ['of unknown type', header(6, 3), 'E_FRAME_TYPE'],
    ['of negative type', header(6, -1), 'E_FRAME_TYPE'],
  ])('refuses a frame that is %s, after those before it', (_what, bad, code) => {
    const bytes = Buffer.concat([encodeFrame(FrameType.Response, 'OK'), bad]);
    everySplit(bytes, decode, ({ seen, error }) => {
      expect(seen).toEqual([[0, 'OK']]);
      expect(error).toMatchObject({ name: 'FrameError', code });
    });
  });

  it('takes a frame of just the bound it is given', () => {
    const bytes = encodeFrame(FrameType.Message, 'x'.repeat(64));
    expect(decode([bytes], { maxFrameSize: 64 }).seen).toHaveLength(1);
    expect(decode([bytes], { maxFrameSize: 63 }).error).toMatchObject({ code: 'E_FRAME_SIZE' });
  });

  it('survives any bytes: frames or a typed error, nothing else', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        const { error } = decode([Buffer.from(bytes)]);
        if (error !== undefined) expect(error).toMatchObject({ name: 'FrameError' });
      }),
    );
  });
});
