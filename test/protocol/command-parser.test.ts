import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Command, type CommandLine } from '../../src/protocol/command-line.js';
import {
  type CommandLimits,
  CommandParser,
  type CommandSink,
  LineTooLongError,
  MAX_LINE_LENGTH,
} from '../../src/protocol/command-parser.js';
import * as commands from '../../src/protocol/commands.js';
import { ProtocolError } from '../../src/protocol/errors.js';
import { sized, u32 } from '../support/wire.js';
import { chunked, everySplit } from './support/splits.js';

const ID = '0123456789abcdef';
const LIMITS: CommandLimits = { maxMsgSize: 100, maxBodySize: 400 };

interface Seen {
  readonly name: string;
  readonly params: readonly string[];
  readonly body: string;
  readonly messages: number;
}

/** Keeps what the parser reads. */
class Notes implements CommandSink {
  readonly heads: string[] = [];
  readonly seen: Seen[] = [];
  onSeen: (seen: Seen) => void = () => {};

  onHead(line: CommandLine): void {
    this.heads.push(line.name);
  }

  onCommand(line: CommandLine, body: Buffer, start: number, end: number): void {
    const seen = {
      name: line.name,
      params: Array.from({ length: line.params }, (_, index) => line.param(index)),
      body: body.toString('latin1', start, end),
      messages: line.messages,
    };
    this.seen.push(seen);
    this.onSeen(seen);
  }
}

interface Outcome {
  readonly seen: Seen[];
  readonly error: string | undefined;
}

/** Feeds chunks that are overwritten as soon as the parser returns, then ends the stream. */
function read(chunks: readonly Buffer[], limits = LIMITS): Outcome {
  const notes = new Notes();
  const parser = new CommandParser(notes, limits);
  try {
    for (const chunk of chunks) {
      const lent = Buffer.from(chunk);
      parser.push(lent);
      lent.fill('#');
    }
    parser.end();
  } catch (error) {
    const line = error instanceof ProtocolError ? error.line : (error as Error).name;
    return { seen: notes.seen, error: line };
  }
  return { seen: notes.seen, error: undefined };
}

/** The error of a stream however it is cut; nothing of the command may have been handed on. */
function refusal(bytes: Buffer): string | undefined {
  let error: string | undefined = 'none yet';
  everySplit(bytes, read, (outcome) => {
    if (error === 'none yet') error = outcome.error;
    expect(outcome).toEqual({ seen: [], error });
  });
  return error;
}

function mpub(...bodies: (Buffer | string)[]): Buffer {
  return Buffer.concat(bodies.map((it) => (typeof it === 'string' ? sized(it) : it)));
}

const names = fc.stringMatching(/^[.a-zA-Z0-9_-]{1,12}$/);
const bodies = fc.uint8Array({ minLength: 1, maxLength: 60 }).map((bytes) => Buffer.from(bytes));
const latin1 = (body: Buffer): string => body.toString('latin1');

interface Sent {
  readonly bytes: Buffer;
  readonly seen: Seen;
}

const sent: fc.Arbitrary<Sent> = fc.oneof(
  fc.tuple(names, bodies).map(([topic, body]) => ({
    bytes: commands.encodePub(topic, body),
    seen: { name: 'PUB', params: [topic], body: latin1(body), messages: 0 },
  })),
  fc.tuple(names, fc.nat(), bodies).map(([topic, delay, body]) => ({
    bytes: commands.encodeDpub(topic, delay, body),
    seen: { name: 'DPUB', params: [topic, String(delay)], body: latin1(body), messages: 0 },
  })),
  fc.tuple(names, fc.array(bodies, { minLength: 1, maxLength: 5 })).map(([topic, all]) => ({
    bytes: commands.encodeMpub(topic, all),
    seen: {
      name: 'MPUB',
      params: [topic],
      body: latin1(Buffer.concat([u32(all.length), ...all.map(sized)])),
      messages: all.length,
    },
  })),
  fc.nat().map((count) => ({
    bytes: commands.encodeRdy(count),
    seen: { name: 'RDY', params: [String(count)], body: '', messages: 0 },
  })),
  fc.constantFrom(
    { bytes: commands.NOP, seen: { name: 'NOP', params: [], body: '', messages: 0 } },
    { bytes: Buffer.from('CLS\r\n'), seen: { name: 'CLS', params: [], body: '', messages: 0 } },
    { bytes: commands.encodeFin(ID), seen: { name: 'FIN', params: [ID], body: '', messages: 0 } },
    { bytes: commands.encodeReq(ID, 5), seen: { name: 'REQ', params: [ID, '5'], body: '', messages: 0 } },
    { bytes: commands.encodeSub('t', 'c'), seen: { name: 'SUB', params: ['t', 'c'], body: '', messages: 0 } },
    { bytes: Buffer.from('BOGUS \n'), seen: { name: 'BOGUS', params: [''], body: '', messages: 0 } },
    {
      bytes: commands.encodeIdentify({ a: 1 }),
      seen: { name: 'IDENTIFY', params: [], body: '{"a":1}', messages: 0 },
    },
    { bytes: commands.encodeAuth('s'), seen: { name: 'AUTH', params: [], body: 's', messages: 0 } },
  ),
);

describe('CommandParser', () => {
  it('reads any stream of commands the same, wherever it is cut', () => {
    fc.assert(
      fc.property(fc.array(sent, { maxLength: 12 }), fc.array(fc.nat(), { maxLength: 20 }), (all, cuts) => {
        const bytes = Buffer.concat(all.map((it) => it.bytes));
        const wanted = { seen: all.map((it) => it.seen), error: undefined };
        expect(read([bytes])).toEqual(wanted);
        expect(read(chunked(bytes, cuts))).toEqual(wanted);
        expect(read(Array.from(bytes, (_, at) => bytes.subarray(at, at + 1)))).toEqual(wanted);
      }),
      { numRuns: 60 },
    );
  });

  it('reads bodies larger than its buffers, in pieces of any size', () => {
    const limits = { maxMsgSize: 4 << 20, maxBodySize: 8 << 20 };
    for (const size of [64 * 1024 - 1, 64 * 1024, 64 * 1024 + 1, (1 << 20) + 1, 3 << 20]) {
      const body = Buffer.alloc(size, 'abcdefg');
      const bytes = Buffer.concat([
        commands.encodePub('t', body),
        commands.NOP,
        commands.encodePub('t', 'x'),
      ]);
      const chunks: Buffer[] = [];
      for (let at = 0; at < bytes.length; at += 100_003) chunks.push(bytes.subarray(at, at + 100_003));
      const { seen, error } = read(chunks, limits);
      expect(error).toBeUndefined();
      expect(seen.map((it) => it.name)).toEqual(['PUB', 'NOP', 'PUB']);
      expect(seen[0]!.body === body.toString('latin1')).toBe(true);
      expect(seen[2]!.body).toBe('x');
    }
  });

  it('hands a whole command on in place, without a copy', () => {
    const chunk = commands.encodePub('t', 'body');
    let given: Buffer | undefined;
    const sink: CommandSink = {
      onHead: () => {},
      onCommand: (_line, body) => {
        given = body;
      },
    };
    new CommandParser(sink, LIMITS).push(chunk);
    expect(given).toBe(chunk);
  });

  it('says a command with a body has come before the body has', () => {
    const notes = new Notes();
    const parser = new CommandParser(notes, LIMITS);
    parser.push(Buffer.from('PUB t\n'));
    expect(notes.heads).toEqual(['PUB']);
    parser.push(Buffer.concat([u32(2), Buffer.from('a')]));
    expect(notes.seen).toEqual([]);
    parser.push(Buffer.from('b'));
    expect(notes.seen).toHaveLength(1);
  });

  it.each([
    ['PUB', 'PUB t\n', 100, 'E_BAD_MESSAGE', 'message'],
    ['DPUB', 'DPUB t 0\n', 100, 'E_BAD_MESSAGE', 'message'],
    ['IDENTIFY', 'IDENTIFY\n', 400, 'E_BAD_BODY', 'body'],
    ['AUTH', 'AUTH\n', 400, 'E_BAD_BODY', 'body'],
    ['MPUB', 'MPUB t\n', 400, 'E_BAD_BODY', 'body'],
  ])('%s refuses sizes out of bounds before any byte of the body', (name, line, limit, code, what) => {
    const head = (size: number): Buffer => Buffer.concat([Buffer.from(line), u32(size)]);
    const bad = what === 'message' ? 'message body' : 'body';
    expect(refusal(head(limit + 1))).toBe(`${code} ${name} ${what} too big ${limit + 1} > ${limit}`);
    expect(refusal(head(0x7fffffff))).toBe(`${code} ${name} ${what} too big ${0x7fffffff} > ${limit}`);
    expect(refusal(head(0))).toBe(`${code} ${name} invalid ${bad} size 0`);
    expect(refusal(head(-1))).toBe(`${code} ${name} invalid ${bad} size -1`);
  });

  it('takes a body of just the limit', () => {
    const bytes = commands.encodePub('t', Buffer.alloc(LIMITS.maxMsgSize, 'x'));
    everySplit(bytes, read, ({ seen, error }) => {
      expect(error).toBeUndefined();
      expect(seen).toHaveLength(1);
    });
  });

  it.each([
    [
      'within a size',
      Buffer.concat([Buffer.from('PUB t\n'), Buffer.alloc(3)]),
      'E_BAD_MESSAGE PUB failed to read message body size',
    ],
    ['before a size', Buffer.from('IDENTIFY\n'), 'E_BAD_BODY IDENTIFY failed to read body size'],
    [
      'within a body',
      Buffer.concat([Buffer.from('PUB t\n'), u32(5), Buffer.from('1234')]),
      'E_BAD_MESSAGE PUB failed to read message body',
    ],
    [
      'within the count of a batch',
      Buffer.concat([Buffer.from('MPUB t\n'), u32(30), Buffer.alloc(3)]),
      'E_BAD_BODY MPUB failed to read body',
    ],
    [
      'within a batch',
      Buffer.concat([Buffer.from('MPUB t\n'), u32(30), u32(2), sized('a')]),
      'E_BAD_MESSAGE MPUB failed to read message body',
    ],
  ])('says what is missing when the stream ends %s', (_where, bytes, error) => {
    expect(refusal(bytes)).toBe(error);
  });

  it('has nothing to say about a line that was not finished', () => {
    expect(read([Buffer.from('NOP\nPUB to')])).toEqual({ seen: [expect.anything()], error: undefined });
  });

  it('refuses a line that is too long as soon as it is', () => {
    const parser = new CommandParser(new Notes(), LIMITS);
    parser.push(Buffer.alloc(MAX_LINE_LENGTH, 'x'));
    expect(() => parser.push(Buffer.from('x'))).toThrow(LineTooLongError);
    expect(() => new CommandParser(new Notes(), LIMITS).push(Buffer.alloc(MAX_LINE_LENGTH + 1, 'x'))).toThrow(
      LineTooLongError,
    );
    const notes = new Notes();
    new CommandParser(notes, LIMITS).push(
      Buffer.concat([Buffer.alloc(MAX_LINE_LENGTH, 'x'), Buffer.from('\n')]),
    );
    expect(notes.seen).toHaveLength(1);
  });

  it.each([
    ['no count', sized('abc'), 'E_BAD_BODY MPUB failed to read body'],
    ['a count of 0', sized(u32(0)), 'E_BAD_BODY MPUB invalid message count 0'],
    ['a negative count', sized(u32(-1)), 'E_BAD_BODY MPUB invalid message count -1'],
    ['more messages than there is room for', sized(u32(80)), 'E_BAD_BODY MPUB invalid message count 80'],
    [
      'an empty message',
      sized(mpub(u32(2), 'a', u32(0))),
      'E_BAD_MESSAGE MPUB invalid message(1) body size 0',
    ],
    ['a negative size', sized(mpub(u32(1), u32(-5))), 'E_BAD_MESSAGE MPUB invalid message(0) body size -5'],
    [
      'a message too large',
      sized(mpub(u32(1), 'x'.repeat(101))),
      'E_BAD_MESSAGE MPUB message too big 101 > 100',
    ],
    [
      'fewer messages than it says',
      sized(mpub(u32(2), 'a')),
      'E_BAD_MESSAGE MPUB failed to read message body',
    ],
    [
      'a message past its end',
      sized(mpub(u32(1), u32(9), Buffer.from('12345678'))),
      'E_BAD_MESSAGE MPUB failed to read message body',
    ],
    [
      'more than a body may have, whatever its size says',
      Buffer.concat([u32(200), u32(5), ...Array.from({ length: 5 }, () => sized('x'.repeat(90)))]),
      'E_BAD_BODY MPUB body too big 474 > 400',
    ],
  ])('refuses an MPUB of %s', (_what, body, error) => {
    expect(refusal(Buffer.concat([Buffer.from('MPUB t\n'), body]))).toBe(error);
  });

  it.each([
    ['4 fewer, as nsq.js does', -4],
    ['4 more, as nsqueue does', 4],
    ['1', -16],
    ['as many as a body may have', 383],
  ])('ends an MPUB with its last message when its size says %s', (_what, off) => {
    const body = Buffer.concat([u32(2), sized('a'), sized('bcde')]);
    const mpubs = Buffer.concat([Buffer.from('MPUB t\n'), u32(body.length + off), body]);
    everySplit(Buffer.concat([mpubs, mpubs, Buffer.from('NOP\n')]), read, ({ seen, error }) => {
      expect(error).toBeUndefined();
      expect(seen.map((it) => [it.name, it.messages])).toEqual([
        ['MPUB', 2],
        ['MPUB', 2],
        ['NOP', 0],
      ]);
      expect(seen.slice(0, 2).map((it) => it.body)).toEqual(Array(2).fill(body.toString('latin1')));
    });
  });

  it('reads an MPUB that is far longer than its size says, with what follows, in chunks of any length', () => {
    const body = Buffer.concat([u32(3000), ...Array.from({ length: 3000 }, () => sized('x'.repeat(60)))]);
    const bytes = Buffer.concat([Buffer.from('MPUB t\n'), u32(5), body, Buffer.from('NOP\n')]);
    for (const length of [1000, 65_535, 65_536, bytes.length]) {
      const cuts = Array.from({ length: Math.floor(bytes.length / length) }, (_, at) => (at + 1) * length);
      const { seen, error } = read(chunked(bytes, cuts), { maxMsgSize: 100, maxBodySize: 200_000 });
      expect(error).toBeUndefined();
      expect(seen.map((it) => it.name)).toEqual(['MPUB', 'NOP']);
      expect(seen[0]!.body === body.toString('latin1')).toBe(true);
    }
  });

  it('refuses an MPUB at its first bad byte, not at its end', () => {
    const bad = Buffer.concat([Buffer.from('MPUB t\n'), u32(400), u32(3), sized('good'), u32(101)]);
    const parser = new CommandParser(new Notes(), LIMITS);
    parser.push(bad.subarray(0, -1));
    expect(() => parser.push(bad.subarray(-1))).toThrow('MPUB message too big 101 > 100');
  });

  it('stops after a command, keeps what follows, and goes on with it', () => {
    const notes = new Notes();
    const parser = new CommandParser(notes, LIMITS);
    notes.onSeen = ({ name }) => {
      if (name === 'IDENTIFY') parser.stop();
    };
    parser.push(Buffer.concat([commands.encodeIdentify({}), commands.NOP, commands.encodePub('t', 'a')]));
    parser.push(commands.NOP);
    expect(notes.seen.map((it) => it.name)).toEqual(['IDENTIFY']);
    parser.resume();
    expect(notes.seen.map((it) => it.name)).toEqual(['IDENTIFY', 'NOP', 'PUB', 'NOP']);
  });

  it('gives the rest away to another layer', () => {
    const notes = new Notes();
    const parser = new CommandParser(notes, LIMITS);
    notes.onSeen = () => parser.stop();
    parser.push(Buffer.from('CLS\n\x16\x03'));
    parser.push(Buffer.from('\x01'));
    expect(parser.takeRest()).toEqual(Buffer.from('\x16\x03\x01'));
    expect(parser.takeRest()).toHaveLength(0);
    notes.onSeen = () => {};
    parser.resume();
    parser.push(commands.NOP);
    expect(notes.seen.map((it) => it.name)).toEqual(['CLS', 'NOP']);
  });

  it('keeps the bodies of parsers apart that are in the middle of theirs', () => {
    const all = Array.from({ length: 5 }, (_, i) => ({
      notes: new Notes(),
      bytes: commands.encodePub('t', `body ${i}`),
    }));
    const parsers = all.map(({ notes }) => new CommandParser(notes, LIMITS));
    for (let at = 0; at < 16; at++) {
      all.forEach(({ bytes }, i) => {
        parsers[i]!.push(bytes.subarray(at, at + 1));
      });
    }
    expect(all.map(({ notes }) => notes.seen[0]?.body)).toEqual([
      'body 0',
      'body 1',
      'body 2',
      'body 3',
      'body 4',
    ]);
  });

  it('hands nothing on after what the sink refused', () => {
    const sink: CommandSink = {
      onHead: () => {
        throw new ProtocolError('E_BAD_TOPIC', 'no');
      },
      onCommand: (line) => expect(line.command).toBe(Command.Nop),
    };
    const parser = new CommandParser(sink, LIMITS);
    expect(() => parser.push(Buffer.concat([commands.NOP, commands.encodePub('t', 'a')]))).toThrow('no');
  });
});
