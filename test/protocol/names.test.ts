import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isEphemeral, isValidName } from '../../src/protocol/names.js';

describe('isValidName', () => {
  it.each(['a', 'serving123', '.a-b_C.9', 'x'.repeat(64), 'orders#ephemeral', `${'x'.repeat(54)}#ephemeral`])(
    'takes %s',
    (name) => expect(isValidName(name)).toBe(true),
  );

  it.each([
    '',
    'x'.repeat(65),
    `${'x'.repeat(55)}#ephemeral`,
    '#ephemeral',
    'a#ephemeralx',
    'a#b',
    'a b',
    'a\n',
    'a#ephemeral\n',
    'ä',
    'a/b',
    'a$b',
  ])('refuses %j', (name) => expect(isValidName(name)).toBe(false));

  it('takes just what is made of its characters', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 70 }), (name) => {
        const base = name.replace(/#ephemeral$/, '');
        const byHand =
          name.length <= 64 && base.length > 0 && [...base].every((c) => /[.a-zA-Z0-9_-]/.test(c));
        expect(isValidName(name)).toBe(byHand);
      }),
    );
  });
});

describe('isEphemeral', () => {
  it('goes by the suffix', () => {
    expect(isEphemeral('a#ephemeral')).toBe(true);
    expect(isEphemeral('ephemeral')).toBe(false);
    expect(isEphemeral('a#ephemeral.')).toBe(false);
  });
});
