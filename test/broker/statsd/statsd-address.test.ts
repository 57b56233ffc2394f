import { expect, it } from 'vitest';
import {
  complaintAboutStatsdAddress,
  parseStatsdAddress,
} from '../../../src/broker/statsd/statsd-address.js';

it.each([
  ['statsd.local:8125', { host: 'statsd.local', port: 8125 }],
  ['10.0.0.1:1', { host: '10.0.0.1', port: 1 }],
  ['[fe80::1%eth0]:65535', { host: 'fe80::1%eth0', port: 65_535 }],
  [':8125', { host: '127.0.0.1', port: 8125 }],
  ['0.0.0.0:8125', { host: '127.0.0.1', port: 8125 }],
  ['[::]:8125', { host: '::1', port: 8125 }],
])('%s', (text, address) => {
  expect(parseStatsdAddress(text)).toEqual(address);
  expect(complaintAboutStatsdAddress(text)).toBe('');
});

it.each([
  'localhost',
  '::1:8125',
  'h:0',
  'h:65536',
  'h:http',
  ' h:1',
  'http://h:1',
  'h:1/',
  '[h:1',
  'a,b:1:1',
])('%s is none', (text) => {
  expect(parseStatsdAddress(text)).toBeUndefined();
  expect(complaintAboutStatsdAddress(text)).toBe(`must be <host>:<port>, not '${text}'`);
});

it('may be empty', () => {
  expect(complaintAboutStatsdAddress('')).toBe('');
});
