import { describe, expect, test } from 'vitest';
import { httpAddressOf, parseHttpAddress } from '../../../src/cli/cluster/http-address.js';

const parse = (text: string): unknown => parseHttpAddress('nsqd-http-address', text);

describe('parseHttpAddress', () => {
  test.each([
    ['127.0.0.1:4151', '127.0.0.1:4151', 'http://127.0.0.1:4151'],
    ['broker_1.example:80', 'broker_1.example:80', 'http://broker_1.example:80'],
    [':4151', '127.0.0.1:4151', 'http://127.0.0.1:4151'],
    ['[::1]:4151', '[::1]:4151', 'http://[::1]:4151'],
    ['http://a:4151/', 'a:4151', 'http://a:4151'],
    ['https://a', 'https://a:443', 'https://a:443'],
  ])('%s', (given, text, origin) => {
    expect(parse(given)).toEqual({ text, origin });
  });

  test('the path of a unix socket', () => {
    expect(parse('/run/nsqd.sock')).toMatchObject({ text: '/run/nsqd.sock', socketPath: '/run/nsqd.sock' });
  });

  test.each([
    'a',
    'a:',
    '::1:4151',
    'a:0',
    'a:99999',
    'a:4151/x',
    'a:1?b',
    'u@a:1',
    'ftp://a:1',
    '',
    '[::1]',
  ])('%s is refused with the flag and an example', (text) => {
    expect(() => parse(text)).toThrow(/^invalid value for --nsqd-http-address: /);
    expect(() => parse(text)).toThrow(
      expect.objectContaining({ hint: 'As in --nsqd-http-address 127.0.0.1:4151' }),
    );
  });
});

test('an address that a lookupd tells', () => {
  expect(httpAddressOf('::1', 4151)?.text).toBe('[::1]:4151');
  expect(httpAddressOf('host', 4151)?.text).toBe('host:4151');
  expect(httpAddressOf('host', 0)).toBeUndefined();
  expect(httpAddressOf('a b', 4151)).toBeUndefined();
});
