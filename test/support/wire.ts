/** Bytes of the wire, written from the protocol's specification and not with `src/protocol`, so that tests can tell them apart. */

export type RawFrame =
  | { readonly type: 'response'; readonly text: string }
  | { readonly type: 'error'; readonly code: string; readonly text: string }
  | {
      readonly type: 'message';
      readonly id: string;
      readonly attempts: number;
      /** Nanoseconds since the epoch. */
      readonly timestamp: bigint;
      readonly body: Buffer;
    };

export type RawMessage = Extract<RawFrame, { type: 'message' }>;

/** `typed`: nsqd's frames, with a frame type. `plain`: nsqlookupd's, a length and the data. */
export type Framing = 'typed' | 'plain';

/** Big-endian; negative numbers as two's complement. */
export function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value >>> 0);
  return bytes;
}

/** A length and the bytes: the body of PUB, IDENTIFY, AUTH. */
export function sized(body: Buffer | string): Buffer {
  const bytes = typeof body === 'string' ? Buffer.from(body) : body;
  return Buffer.concat([u32(bytes.length), bytes]);
}

/** The whole body of an MPUB, with its own length in front. */
export function mpubBody(bodies: readonly (Buffer | string)[]): Buffer {
  return sized(Buffer.concat([u32(bodies.length), ...bodies.map(sized)]));
}

function parseError(text: string): RawFrame {
  return { type: 'error', code: text.split(' ', 1)[0] ?? '', text };
}

function parseFrame(data: Buffer, framing: Framing): RawFrame {
  if (framing === 'plain') {
    const text = data.toString();
    return text.startsWith('E_') ? parseError(text) : { type: 'response', text };
  }
  const type = data.readUInt32BE(0);
  if (type === 0) return { type: 'response', text: data.toString('utf8', 4) };
  if (type === 1) return parseError(data.toString('utf8', 4));
  if (type !== 2) throw new Error(`frame type ${type} is none of the protocol's`);
  return {
    type: 'message',
    timestamp: data.readBigInt64BE(4),
    attempts: data.readUInt16BE(12),
    id: data.toString('latin1', 14, 30),
    body: Buffer.from(data.subarray(30)),
  };
}

/** Takes the whole frames off the front of `bytes`; `rest` is what is left of them. */
export function takeFrames(bytes: Buffer, framing: Framing): { frames: RawFrame[]; rest: Buffer } {
  const frames: RawFrame[] = [];
  let at = 0;
  while (bytes.length - at >= 4) {
    const end = at + 4 + bytes.readUInt32BE(at);
    if (end > bytes.length) break;
    frames.push(parseFrame(bytes.subarray(at + 4, end), framing));
    at = end;
  }
  return { frames, rest: bytes.subarray(at) };
}
