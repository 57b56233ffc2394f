import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MessageData } from '../../src/protocol/message-decoder.js';

function encode(timestamp: bigint, attempts: number, id: string, body: Uint8Array): Buffer {
  const head = Buffer.alloc(10);
  head.writeBigInt64BE(timestamp, 0);
  head.writeUInt16BE(attempts, 8);
  return Buffer.concat([head, Buffer.from(id, 'latin1'), body]);
}

describe('MessageData', () => {
  it('reads the fields of a message', () => {
    const data = Buffer.concat([
      Buffer.from('skip'),
      encode(1_700_000_000_123_456_789n, 65_535, '0b5a0c1d2e3f4a5b', Buffer.from('hello')),
      Buffer.from('skip'),
    ]);
    const message = new MessageData(data, 4, data.length - 4);
    expect(message.timestamp).toBe(1_700_000_000_123_456_789n);
    expect(message.attempts).toBe(65_535);
    expect(message.id).toBe('0b5a0c1d2e3f4a5b');
    expect(message.body.toString()).toBe('hello');
  });

  it('gives the body in place, the same each time', () => {
    const data = encode(1n, 1, '0'.repeat(16), Buffer.from('body'));
    const { body } = new MessageData(data);
    expect(body.buffer).toBe(data.buffer);
    expect(body.byteOffset).toBe(data.byteOffset + 26);
    const message = new MessageData(data);
    expect(message.body).toBe(message.body);
  });

  it('reads what was written', () => {
    fc.assert(
      fc.property(
        fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
        fc.nat({ max: 65_535 }),
        fc.stringMatching(/^[0-9a-f]{16}$/),
        fc.uint8Array({ maxLength: 100 }),
        (timestamp, attempts, id, body) => {
          const message = new MessageData(encode(timestamp, attempts, id, body));
          expect([message.timestamp, message.attempts, message.id]).toEqual([timestamp, attempts, id]);
          expect(message.body.equals(body)).toBe(true);
        },
      ),
    );
  });

  it('takes an empty body and refuses less than that', () => {
    expect(new MessageData(Buffer.alloc(26)).body).toHaveLength(0);
    expect(() => new MessageData(Buffer.alloc(25))).toThrow(
      expect.objectContaining({ name: 'MessageError', code: 'E_MESSAGE_SIZE' }),
    );
    expect(() => new MessageData(Buffer.alloc(100), 90, 100)).toThrow(
      expect.objectContaining({ code: 'E_MESSAGE_SIZE' }),
    );
  });
});
