import { expect, it } from 'vitest';
import { responseLength } from '../../bench/lib/http-connection.mjs';
import { median, percentile } from '../../bench/lib/measure.mjs';

it('takes the median', () => {
  expect(median([3, 1, 2])).toBe(2);
  expect(median([4, 1, 2, 3])).toBe(2.5);
});

it('takes percentiles of sorted values', () => {
  const values = Float64Array.from({ length: 200 }, (_, i) => i + 1);
  expect(percentile(values, 0.5)).toBe(100);
  expect(percentile(values, 0.99)).toBe(198);
  expect(percentile(values, 1)).toBe(200);
});

it('sees where an HTTP response ends', () => {
  const response = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\nX-NSQ: 1\r\n\r\nOK';
  expect(responseLength(response)).toBe(response.length);
  expect(responseLength(`${response}HTTP/1.1`)).toBe(response.length);
  expect(responseLength(response.slice(0, -1))).toBe(0);
  expect(responseLength('HTTP/1.1 200 OK\r\n')).toBe(0);
  expect(() => responseLength('HTTP/1.1 200 OK\r\n\r\n')).toThrow('Content-Length');
});
