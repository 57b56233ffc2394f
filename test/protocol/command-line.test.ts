import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Command, CommandLine } from '../../src/protocol/command-line.js';

function parse(text: string): CommandLine {
  const line = new CommandLine();
  const buf = Buffer.from(`..${text}..`, 'latin1');
  line.parse(buf, 2, buf.length - 2);
  return line;
}

function params(line: CommandLine): string[] {
  return Array.from({ length: Math.min(line.params, 4) }, (_, index) => line.param(index));
}

describe('CommandLine', () => {
  it.each([
    ['IDENTIFY', Command.Identify],
    ['SUB a b', Command.Sub],
    ['PUB a', Command.Pub],
    ['MPUB a', Command.Mpub],
    ['DPUB a 1', Command.Dpub],
    ['RDY 1', Command.Rdy],
    ['FIN 0123456789abcdef', Command.Fin],
    ['REQ 0123456789abcdef 0', Command.Req],
    ['TOUCH 0123456789abcdef', Command.Touch],
    ['CLS', Command.Cls],
    ['NOP', Command.Nop],
    ['AUTH', Command.Auth],
  ])('knows %s', (text, command) => {
    expect(parse(text).command).toBe(command);
    expect(parse(`${text}\r`).command).toBe(command);
  });

  it.each([
    '',
    ' ',
    ' PUB a',
    'pub a',
    'PU',
    'PUBB a',
    'PUB\ta',
    'toString',
    'IDENTIFYX',
    '__proto__',
    '\0\0\0',
  ])('knows no command in %j', (text) => expect(parse(text).command).toBe(Command.Unknown));

  it.each([
    ['NOP', []],
    ['SUB a b', ['a', 'b']],
    ['SUB a b\r', ['a', 'b']],
    ['SUB  b', ['', 'b']],
    ['SUB a ', ['a', '']],
    ['SUB a b c d e', ['a', 'b', 'c', 'd']],
    ['SUB \xff\xfe b', ['\xff\xfe', 'b']],
  ])('splits %j at single blanks', (text, wanted) => expect(params(parse(text))).toEqual(wanted));

  it('counts the parameters that it does not keep', () => expect(parse('SUB a b c d e').params).toBe(5));

  it.each([
    ['RDY 0', 0],
    ['RDY 2500', 2500],
    ['RDY 007', 7],
    ['RDY ', 0],
    ['RDY', -1],
    ['RDY -1', -1],
    ['RDY +1', -1],
    ['RDY 1.5', -1],
    ['RDY 1e3', -1],
    ['RDY 1 x', 1],
  ])('reads the count of %j as %i', (text, count) => expect(parse(text).count(0)).toBe(count));

  it('reads a count of many digits as one that is beyond every limit', () =>
    expect(parse(`RDY ${'9'.repeat(400)}`).count(0)).toBeGreaterThan(2 ** 53));

  it('says the name as it was sent', () => {
    expect(parse('BOGUS a b').name).toBe('BOGUS');
    expect(parse('').name).toBe('');
  });

  it('stays as it is when it was detached and its buffer is overwritten', () => {
    const buf = Buffer.from('..MPUB topic\r..');
    const line = new CommandLine();
    line.parse(buf, 2, buf.length - 2);
    line.messages = 3;
    line.detach();
    buf.fill('#');
    expect([line.command, line.name, line.params, line.param(0), line.messages]).toEqual([
      Command.Mpub,
      'MPUB',
      1,
      'topic',
      3,
    ]);
  });

  it('is as new for the next line', () => {
    const line = new CommandLine();
    line.parse(Buffer.from('SUB a b'), 0, 7);
    line.messages = 5;
    line.parse(Buffer.from('NOP'), 0, 3);
    expect([line.command, line.params, line.param(0), line.count(0), line.messages]).toEqual([
      Command.Nop,
      0,
      '',
      -1,
      0,
    ]);
  });

  it('splits any line as text is split', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('A', '0', ' ', 'PUB'), maxLength: 12 }), (text) => {
        const [name, ...rest] = text.split(' ');
        const line = parse(text);
        expect(line.name).toBe(name);
        expect(line.params).toBe(rest.length);
        expect(params(line)).toEqual(rest.slice(0, 4));
      }),
    );
  });
});
