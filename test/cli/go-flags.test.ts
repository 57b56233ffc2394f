import { describe, expect, test } from 'vitest';
import { normalizeGoFlags } from '../../src/cli/go-flags.js';
import { defineSettings } from '../../src/cli/settings.js';

const SETTINGS = defineSettings({
  topic: { kind: 'string', doc: '' },
  n: { kind: 'int', doc: '', char: 'n' },
  'node-id': { kind: 'int', doc: '' },
  gzip: { kind: 'boolean', doc: '' },
  'tls-required': { kind: 'string', doc: '', bare: 'true' },
});

describe('normalizeGoFlags', () => {
  test.each([
    ['-topic x', '--topic x'],
    ['-topic=x', '--topic=x'],
    ['--topic x', '--topic x'],
    ['--topic=a=b', '--topic=a=b'],
    ['-node-id 7', '--node-id 7'],
    ['-n 5', '-n 5'],
    ['-n=5', '-n=5'],
    ['-n5', '-n5'],
    ['--n 5', '--n 5'],
    ['-n -5', '-n -5'],
    ['-gzip', '--gzip'],
    ['-gzip=false', '--no-gzip'],
    ['--gzip=0', '--no-gzip'],
    ['--gzip=T', '--gzip'],
    ['--no-gzip', '--no-gzip'],
    ['--tls-required', '--tls-required=true'],
    ['--tls-required=tcp-https', '--tls-required=tcp-https'],
    ['--topic -gzip', '--topic -gzip'],
    ['-topci x', '--topci x'],
    ['body -- -topic', 'body -- -topic'],
    ['-- -gzip=false', '-- -gzip=false'],
    ['- -5', '- -5'],
    ['--topic', '--topic'],
  ])('%s becomes %s', (given, expected) => {
    expect(normalizeGoFlags(given.split(' '), SETTINGS)).toEqual(expected.split(' '));
  });

  test('a boolean that is neither true nor false is named', () => {
    expect(() => normalizeGoFlags(['--gzip=maybe'], SETTINGS)).toThrow(
      'invalid value for --gzip: "maybe" is neither true nor false',
    );
  });
});
