import { describe, expect, it } from 'vitest';
import { ProtocolError } from '../../src/protocol/errors.js';
import {
  encodeLookupAnswer,
  type LookupAnswer,
  LookupAnswerDecoder,
} from '../../src/protocol/lookup-answer.js';
import {
  encodeLookupIdentify,
  encodeRegister,
  encodeUnregister,
  LOOKUP_MAGIC,
  LOOKUP_PING,
} from '../../src/protocol/lookup-commands.js';
import { LookupReader, MAX_LOOKUP_BLOCK, MAX_LOOKUP_LINE } from '../../src/protocol/lookup-reader.js';
import { everySplit } from './support/splits.js';

const PEER = { hostname: 'h', broadcast_address: 'b', tcp_port: 1, http_port: 2, version: '1.3.0' };

function codeOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof ProtocolError) return error.code;
    throw error;
  }
  return 'none';
}

describe('commands to a lookupd', () => {
  it('are the lines of protocol V1', () => {
    expect(LOOKUP_MAGIC.toString()).toBe('  V1');
    expect(LOOKUP_PING.toString()).toBe('PING\n');
    expect(encodeRegister('t').toString()).toBe('REGISTER t\n');
    expect(encodeRegister('t', 'c#ephemeral').toString()).toBe('REGISTER t c#ephemeral\n');
    expect(encodeUnregister('t').toString()).toBe('UNREGISTER t\n');
    expect(encodeUnregister('t', 'c').toString()).toBe('UNREGISTER t c\n');
  });

  it('IDENTIFY has its length in bytes, not in characters', () => {
    const command = encodeLookupIdentify({ ...PEER, hostname: 'hö' });
    const json = JSON.stringify({ ...PEER, hostname: 'hö' });
    expect(command.readUInt32BE(9)).toBe(Buffer.byteLength(json));
    expect(command.toString('utf8', 13)).toBe(json);
  });

  it('with a bad name are not sent', () => {
    expect(codeOf(() => encodeRegister('a b'))).toBe('E_BAD_TOPIC');
    expect(codeOf(() => encodeUnregister('a', 'b\n'))).toBe('E_BAD_CHANNEL');
  });
});

describe('LookupReader', () => {
  const bytes = Buffer.concat([
    LOOKUP_MAGIC,
    encodeLookupIdentify(PEER),
    encodeRegister('t', 'c'),
    LOOKUP_PING,
  ]);

  function read(chunks: readonly Buffer[]): unknown[] {
    const reader = new LookupReader();
    const taken: unknown[] = [];
    const wanted = [
      () => reader.bytes(4)?.toString(),
      () => reader.line(),
      () => reader.block()?.toString(),
      () => reader.line(),
      () => reader.line(),
    ];
    for (const chunk of chunks) {
      reader.push(chunk);
      for (let next = wanted[taken.length]?.(); next !== undefined; next = wanted[taken.length]?.())
        taken.push(next);
    }
    return [...taken, reader.buffered];
  }

  it('takes the same things however the bytes are split', () => {
    everySplit(bytes, read, (outcome) =>
      expect(outcome).toEqual(['  V1', 'IDENTIFY', JSON.stringify(PEER), 'REGISTER t c', 'PING', 0]),
    );
  });

  it('leaves blanks at the ends of a line out', () => {
    const reader = new LookupReader();
    reader.push(Buffer.from(' \tPING x \r\n\n'));
    expect([reader.line(), reader.line(), reader.line()]).toEqual(['PING x', '', undefined]);
  });

  it('refuses a line without end', () => {
    const reader = new LookupReader();
    reader.push(Buffer.alloc(MAX_LOOKUP_LINE, 'x'));
    expect(reader.line()).toBeUndefined();
    reader.push(Buffer.from('x'));
    expect(codeOf(() => reader.line())).toBe('E_INVALID');
  });

  it.each([-1, -(2 ** 31), MAX_LOOKUP_BLOCK + 1, 2 ** 31 - 1])(
    'refuses a block of %i bytes before any of it came',
    (size) => {
      const reader = new LookupReader();
      const head = Buffer.alloc(4);
      head.writeInt32BE(size);
      reader.push(head);
      expect(codeOf(() => reader.block())).toBe('E_BAD_BODY');
    },
  );
});

describe('LookupAnswerDecoder', () => {
  it('tells answers from refusals, however the bytes are split', () => {
    const bytes = Buffer.concat(
      ['OK', '', '{"version":"1"}', 'E_INVALID client must IDENTIFY'].map(encodeLookupAnswer),
    );
    const decode = (chunks: readonly Buffer[]): LookupAnswer[] => {
      const decoder = new LookupAnswerDecoder();
      return chunks.flatMap((chunk) => decoder.push(chunk));
    };
    everySplit(bytes, decode, (answers) =>
      expect(answers).toEqual([
        { ok: true, text: 'OK' },
        { ok: true, text: '' },
        { ok: true, text: '{"version":"1"}' },
        { ok: false, code: 'E_INVALID', text: 'E_INVALID client must IDENTIFY' },
      ]),
    );
  });

  it('refuses what is no answer', () => {
    expect(codeOf(() => new LookupAnswerDecoder().push(Buffer.from('HTTP/1.1 400')))).toBe('E_BAD_BODY');
  });
});
