import { describe, expect, it } from 'vitest';
import { encodeFrame, FRAME_HEADER_SIZE, FrameType } from '../../src/protocol/frame.js';

describe('encodeFrame', () => {
  it('counts the type and the data in the size', () => {
    expect(encodeFrame(FrameType.Response, 'OK').toString('hex')).toBe('00000006000000004f4b');
    expect(encodeFrame(FrameType.Error, 'E_INVALID').toString('latin1')).toBe(
      '\0\0\0\x0d\0\0\0\x01E_INVALID',
    );
    expect(encodeFrame(FrameType.Message, Buffer.from([1, 2])).toString('hex')).toBe('00000006000000020102');
  });

  it('takes data of no length, and measures text in bytes', () => {
    expect(encodeFrame(FrameType.Response, '')).toHaveLength(FRAME_HEADER_SIZE);
    expect(encodeFrame(FrameType.Response, 'é').readUInt32BE(0)).toBe(6);
  });
});
