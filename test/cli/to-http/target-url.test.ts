import { describe, expect, test } from 'vitest';
import { getUrl, postUrl } from '../../../src/cli/to-http/target-url.js';

const body = Buffer.from('a b+c/d?e&f=ü');

describe('post', () => {
  test.each([
    ['http://h', 'http://h', '/'],
    ['http://h:8080/a/../b//c/%2F%2f?x=%s#frag', 'http://h:8080', '/a/../b//c/%2F%2f?x=%s'],
    ['HTTPS://H/ü x', 'https://h', '/%C3%BC%20x'],
    ['http://[::1]:1?q', 'http://[::1]:1', '/?q'],
  ])('%s', (text, origin, path) => {
    const url = postUrl(text);
    expect([url.origin, url.path(body), url.authorization]).toEqual([origin, path, undefined]);
    expect(url.name).toBe(text);
  });

  test('a user in it becomes a header, and the password is not shown', () => {
    const url = postUrl('http://us%40er:pa:s%zs@h/x');
    expect(url.origin).toBe('http://h');
    expect(url.authorization).toBe(`Basic ${Buffer.from('us@er:pa:s%zs').toString('base64')}`);
    expect(url.name).toBe('http://us%40er:***@h/x');
  });

  test.each([
    '',
    'h',
    'h:80/x',
    '127.0.0.1:80',
    'ftp://h/',
    'http://',
    'http:///x',
    'http://h:99999/',
    'http://a b/',
  ])('%j is refused', (text) => expect(() => postUrl(text)).toThrow(/--post .* is no http or https URL/));
});

describe('get', () => {
  test.each([
    ['http://h/?m=%s', '/?m=a+b%2Bc%2Fd%3Fe%26f%3D%C3%BC'],
    ['http://h/%s/x#%', '/a+b%2Bc%2Fd%3Fe%26f%3D%C3%BC/x'],
    ['http://h/a%%20b%2F?m=%s%%', '/a%20b%2F?m=a+b%2Bc%2Fd%3Fe%26f%3D%C3%BC%'],
  ])('%s', (text, path) => expect(getUrl(text).path(body)).toBe(path));

  test('every byte, as Go escapes it', () => {
    const all = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
    const escaped = getUrl('http://h/%s').path(all).slice(1);
    expect(escaped).toMatch(/^%00%01.*%1F\+%21.*-\.%2F0123456789%3A.*~%7F%80.*%FF$/);
    const decoded = escaped.replaceAll('+', '%20').replace(/%(..)/g, (_, hex: string) => {
      return String.fromCharCode(Number.parseInt(hex, 16));
    });
    expect(Buffer.from(decoded, 'latin1')).toEqual(all);
  });

  test.each(['http://h/', 'http://h/%s?%s', 'http://h/%%s', 'http://%s/', 'http://h/#%s'])(
    '%j is refused',
    (text) => expect(() => getUrl(text)).toThrow(/--get .* (needs one %s|is no http)/),
  );
});
