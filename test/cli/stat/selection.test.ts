import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MEASURES } from '../../../src/cli/stat/row.js';
import { selection, sortKey } from '../../../src/cli/stat/selection.js';
import { row } from './rows.js';

const ROWS = [
  row('orders'),
  row('orders', 'archive', { depth: 5, inFlight: 2 }),
  row('orders', 'mail', { depth: 9, inFlight: 1 }),
  row('visits', '', { depth: 7 }),
  row('visits', 'archive', { depth: 5, inFlight: 2 }),
];
const names = (sort: string, ...filters: string[]): string[] =>
  selection(sort, filters)(ROWS).map(({ topic, channel }) => `${topic}/${channel}`);

describe('--sort', () => {
  test('numbers go down, equals by name, and what a topic does not have comes last', () => {
    expect(names('depth')).toEqual(['orders/mail', 'visits/', 'orders/archive', 'visits/archive', 'orders/']);
    expect(names('in-flight')).toEqual([
      'orders/archive',
      'visits/archive',
      'orders/mail',
      'orders/',
      'visits/',
    ]);
  });

  test('names go up', () => {
    expect(names('topic')).toEqual(['orders/', 'orders/archive', 'orders/mail', 'visits/', 'visits/archive']);
    expect(names('channel').slice(0, 3)).toEqual(['orders/', 'visits/', 'orders/archive']);
  });

  test.each(MEASURES)('%s is a column, as its heading in the TSV', (name) => {
    expect(sortKey(name)).toBe(name);
  });

  test.each([
    ['in_flight', 'inFlight'],
    ['inflt', 'inFlight'],
    ['t-o', 'timeouts'],
    ['ingress', 'rate'],
    ['in/s', 'rate'],
    ['out/s', 'outRate'],
    ['clients', 'connections'],
    ['MEM', 'memory'],
  ])('%s means %s', (text, key) => {
    expect(sortKey(text)).toBe(key);
  });

  test('another word is refused, with what is near', () => {
    expect(() => sortKey('dept')).toThrow(expect.objectContaining({ hint: 'Did you mean depth?' }));
    expect(() => sortKey('xyzzy')).toThrow(/^--sort "xyzzy" is no column$/);
  });
});

describe('--filter', () => {
  test.each<[string[], string[]]>([
    [['ord'], ['orders/', 'orders/archive', 'orders/mail']],
    [['archive'], ['orders/archive', 'visits/archive']],
    [['*s'], ['orders/', 'orders/archive', 'orders/mail', 'visits/', 'visits/archive']],
    [
      ['visits', 'mail'],
      ['orders/mail', 'visits/', 'visits/archive'],
    ],
    [['o*/arch*'], ['orders/archive']],
    [['/mail'], ['orders/mail']],
    [['?rders/*'], ['orders/archive', 'orders/mail']],
    [['or.ers'], []],
    [['nothing'], []],
  ])('%j', (filters, shown) => {
    expect(names('topic', ...filters)).toEqual(shown);
  });

  test('a star at the end fits every name that begins so', () => {
    const letters = fc.stringMatching(/^[.a-zA-Z0-9_-]{1,30}$/);
    fc.assert(
      fc.property(letters, letters, (begin, end) => {
        expect(selection('topic', [`${begin}*`])([row(begin + end)])).toHaveLength(1);
        expect(selection('topic', [`${begin}?*`])([row(begin)])).toHaveLength(0);
      }),
    );
  });

  test('two slashes are refused', () => {
    expect(() => selection('topic', ['a/b/c'])).toThrow('--filter "a/b/c" has more than one slash');
  });
});
