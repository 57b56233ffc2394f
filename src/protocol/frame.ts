/**
 * Frames from the daemon to a client: `u32 size | u32 type | data`, big-endian, where `size` counts the type and the
 * data (TCP protocol specification, "Data format").
 */
export const FrameType = { Response: 0, Error: 1, Message: 2 } as const;
export type FrameType = (typeof FrameType)[keyof typeof FrameType];

/** Bytes before a frame's data. */
export const FRAME_HEADER_SIZE = 8;

export function encodeFrame(type: FrameType, data: Buffer | string): Buffer {
  const body = typeof data === 'string' ? Buffer.from(data) : data;
  const frame = Buffer.allocUnsafe(FRAME_HEADER_SIZE + body.length);
  frame.writeUInt32BE(4 + body.length, 0);
  frame.writeUInt32BE(type, 4);
  body.copy(frame, FRAME_HEADER_SIZE);
  return frame;
}
