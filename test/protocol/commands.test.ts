import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as commands from '../../src/protocol/commands.js';

const ID = '0123456789abcdef';
const topics = fc.stringMatching(/^[.a-zA-Z0-9_-]{1,40}$/);
const bodies = fc.oneof(fc.uint8Array({ minLength: 1, maxLength: 200 }), fc.string({ minLength: 1 }));

describe('commands', () => {
  it.each([
    ['MAGIC', commands.MAGIC, '  V2'],
    ['NOP', commands.NOP, 'NOP\n'],
    ['CLS', commands.CLS, 'CLS\n'],
    ['IDENTIFY', commands.encodeIdentify({ client_id: 'a' }), 'IDENTIFY\n\0\0\0\x11{"client_id":"a"}'],
    ['AUTH', commands.encodeAuth('secret'), 'AUTH\n\0\0\0\x06secret'],
    ['SUB', commands.encodeSub('t', 'c#ephemeral'), 'SUB t c#ephemeral\n'],
    ['PUB of text', commands.encodePub('t', 'body'), 'PUB t\n\0\0\0\x04body'],
    ['PUB of bytes', commands.encodePub('t', new Uint8Array([0, 10])), 'PUB t\n\0\0\0\x02\0\n'],
    ['DPUB', commands.encodeDpub('t', 1500.9, Buffer.from('x')), 'DPUB t 1500\n\0\0\0\x01x'],
    [
      'MPUB',
      commands.encodeMpub('t', ['a', Buffer.from('bc')]),
      'MPUB t\n\0\0\0\x0f\0\0\0\x02\0\0\0\x01a\0\0\0\x02bc',
    ],
    ['RDY', commands.encodeRdy(2500), 'RDY 2500\n'],
    ['RDY 0', commands.encodeRdy(0), 'RDY 0\n'],
    ['FIN', commands.encodeFin(ID), `FIN ${ID}\n`],
    ['REQ', commands.encodeReq(ID, 90_000), `REQ ${ID} 90000\n`],
    ['TOUCH', commands.encodeTouch(ID), `TOUCH ${ID}\n`],
  ])('%s is as specified', (_name, command, text) => expect(command.toString('latin1')).toBe(text));

  it('writes FIN in place as it encodes it', () => {
    const source = Buffer.from(`..${ID}..`);
    const target = Buffer.alloc(commands.FIN_SIZE + 4, '#');
    commands.writeFin(target, 2, source, 2);
    expect(target.toString('latin1')).toBe(`##FIN ${ID}\n##`);
  });

  it('writes PUBs to many topics, each of them the callers own', () => {
    for (let round = 0; round < 2; round++) {
      for (let n = 0; n < 600; n++) {
        const command = commands.encodePub(`topic.${n}`, 'x');
        expect(command.toString('latin1')).toBe(`PUB topic.${n}\n\0\0\0\x01x`);
        command.fill(0);
      }
    }
  });

  it('writes MPUB as its messages, one by one', () => {
    fc.assert(
      fc.property(topics, fc.array(bodies, { minLength: 1, maxLength: 20 }), (topic, list) => {
        const parts = list.map((body) => commands.encodePub(topic, body).subarray(`PUB ${topic}\n`.length));
        const all = Buffer.concat(parts);
        const head = Buffer.alloc(8);
        head.writeUInt32BE(4 + all.length, 0);
        head.writeUInt32BE(list.length, 4);
        const whole = Buffer.concat([Buffer.from(`MPUB ${topic}\n`), head, all]);
        expect(commands.encodeMpub(topic, list).equals(whole)).toBe(true);
        const pubs = list.map((body) => commands.encodePub(topic, body));
        expect(commands.joinPubs(topic, pubs).equals(whole)).toBe(true);
      }),
    );
  });

  it.each([
    ['a topic out of range', () => commands.encodePub('a b', 'x'), 'E_BAD_TOPIC'],
    ['a topic of MPUB', () => commands.encodeMpub('', ['x']), 'E_BAD_TOPIC'],
    ['a topic of DPUB', () => commands.encodeDpub('a\n', 0, 'x'), 'E_BAD_TOPIC'],
    ['a topic of SUB', () => commands.encodeSub('x'.repeat(65), 'c'), 'E_BAD_TOPIC'],
    ['a channel out of range', () => commands.encodeSub('t', 'c/d'), 'E_BAD_CHANNEL'],
    ['an empty message', () => commands.encodePub('t', ''), 'E_BAD_MESSAGE'],
    [
      'an empty message among others',
      () => commands.encodeMpub('t', ['a', Buffer.alloc(0)]),
      'E_BAD_MESSAGE',
    ],
    ['no message', () => commands.encodeMpub('t', []), 'E_BAD_BODY'],
    ['an empty secret', () => commands.encodeAuth(''), 'E_BAD_BODY'],
    ['a negative delay', () => commands.encodeDpub('t', -1, 'x'), 'E_INVALID'],
    ['a delay that is no number', () => commands.encodeReq(ID, Number.NaN), 'E_INVALID'],
    ['an endless delay', () => commands.encodeReq(ID, Number.POSITIVE_INFINITY), 'E_INVALID'],
    ['a fractional RDY', () => commands.encodeRdy(1.5), 'E_INVALID'],
    ['a negative RDY', () => commands.encodeRdy(-1), 'E_INVALID'],
    ['a short id', () => commands.encodeFin('short'), 'E_INVALID'],
    ['an id with a newline', () => commands.encodeTouch('0123456789abcde\n'), 'E_INVALID'],
  ])('refuses %s', (_what, encode, code) => {
    expect(encode).toThrow(expect.objectContaining({ name: 'ProtocolError', code }));
  });
});
