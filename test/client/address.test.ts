import { describe, expect, it } from 'vitest';
import { parseAddress, parseAddresses, parseLocalAddress } from '../../src/client/address.js';

describe('parseAddress', () => {
  it.each([
    ['127.0.0.1:4150', { kind: 'tcp', host: '127.0.0.1', port: 4150, text: '127.0.0.1:4150' }],
    ['localhost:04150', { kind: 'tcp', host: 'localhost', port: 4150, text: 'localhost:4150' }],
    [
      'nsqd-1.example.com:1',
      { kind: 'tcp', host: 'nsqd-1.example.com', port: 1, text: 'nsqd-1.example.com:1' },
    ],
    [':4150', { kind: 'tcp', host: '127.0.0.1', port: 4150, text: '127.0.0.1:4150' }],
    ['[::1]:4150', { kind: 'tcp', host: '::1', port: 4150, text: '[::1]:4150' }],
    ['[fe80::1%eth0]:4150', { kind: 'tcp', host: 'fe80::1%eth0', port: 4150, text: '[fe80::1%eth0]:4150' }],
    ['/run/nsqd.sock', { kind: 'unix', path: '/run/nsqd.sock', text: '/run/nsqd.sock' }],
    ['./nsqd.sock', { kind: 'unix', path: './nsqd.sock', text: './nsqd.sock' }],
  ])('reads %s', (text, address) => expect(parseAddress(text)).toEqual(address));

  it.each([
    '',
    'localhost',
    ':',
    'localhost:',
    'localhost:0',
    'localhost:65536',
    '::1:4150',
    '[::1]',
    '[x]:1',
    'a b:1',
  ])('refuses %j', (text) =>
    expect(() => parseAddress(text)).toThrow(expect.objectContaining({ code: 'E_OPTION' })),
  );
});

it.each([
  ['localhost:65536', 'address "localhost:65536" has a port that is not between 1 and 65535'],
  ['localhost', 'address "localhost" has no port, as in "localhost:4150"'],
  ['localhost:', 'address "localhost:" has no port, as in "localhost:4150"'],
  ['http://localhost:4150', 'address "http://localhost:4150" has a scheme: host:port alone is meant'],
])('says what is wrong with %s', (text, message) => expect(() => parseAddress(text)).toThrow(message));

describe('parseLocalAddress', () => {
  it.each([
    ['', {}],
    [':5000', { localPort: 5000 }],
    ['127.0.0.2', { localAddress: '127.0.0.2' }],
    ['localhost:0', { localAddress: '127.0.0.1' }],
    ['127.0.0.2:5000', { localAddress: '127.0.0.2', localPort: 5000 }],
    ['[::1]:5000', { localAddress: '::1', localPort: 5000 }],
  ])('reads %j', (text, local) => expect(parseLocalAddress(text)).toEqual(local));

  it.each(['here', 'here:1', '127.0.0.1:65536', '::1', '127.0.0.1:x', '/a'])('refuses %j', (text) =>
    expect(() => parseLocalAddress(text)).toThrow(expect.objectContaining({ code: 'E_OPTION' })),
  );
});

describe('parseAddresses', () => {
  it('takes one or several, each once', () => {
    expect(parseAddresses('a:1')).toHaveLength(1);
    expect(parseAddresses(['a:1', 'b:1', 'a:01']).map((one) => one.text)).toEqual(['a:1', 'b:1']);
    expect(() => parseAddresses([])).toThrow(expect.objectContaining({ code: 'E_OPTION' }));
  });
});
