import { describe, expect, test } from 'vitest';
import { JsonFilter, type JsonFilterOptions } from '../../../src/cli/to-nsq/json-filter.js';

function verdict(body: string, options: Partial<JsonFilterOptions>): string {
  const filter = new JsonFilter({
    requireField: undefined,
    requireValue: undefined,
    whitelist: [],
    ...options,
  });
  const result = filter.apply(Buffer.from(body));
  return result.kind === 'pass' ? result.body.toString() : result.kind;
}

describe('without a filter everything passes as it is', () => {
  test.each(['', '{', '{"a": 1.0}', 'x'])('%j', (body) => {
    expect(verdict(body, {})).toBe(body);
    expect(verdict(body, { requireValue: '1' })).toBe(body);
  });
});

describe('a required field', () => {
  test.each([
    ['{"a": null}', '{"a": null}'],
    ['{"A": 1}', 'drop'],
    ['null', 'drop'],
    ['[1]', 'invalid'],
    ['x', 'invalid'],
  ])('%s: %s', (body, expected) => expect(verdict(body, { requireField: 'a' })).toBe(expected));
});

describe('a required value', () => {
  const pass = true;
  test.each([
    ['{"a":"1"}', '1', pass],
    ['{"a":1}', '1', pass],
    ['{"a":1.0}', '1', pass],
    ['{"a":1}', '1.0', pass],
    ['{"a":"1"}', '1.0', false],
    ['{"a":1000}', '1e3', pass],
    ['{"a":1000}', '1_000', pass],
    ['{"a":true}', 'true', false],
    ['{"a":null}', 'null', false],
    ['{"a":[1]}', '1', false],
    ['{"a":"x"}', 'y', false],
    ['{"a":0}', '-0', pass],
  ])('%s with %s', (body, requireValue, passes) =>
    expect(verdict(body, { requireField: 'a', requireValue })).toBe(passes ? body : 'drop'),
  );

  test('a field that is not there cannot be compared', () => {
    expect(verdict('{"b":1}', { requireField: 'a', requireValue: '1' })).toBe('incomplete');
    expect(verdict('null', { requireField: 'a', requireValue: '1' })).toBe('incomplete');
  });
});

test('a whitelist: these fields, sorted, those that are there', () => {
  const whitelist = ['c', 'a', 'a', '__proto__', 'toString'];
  expect(verdict('{"a":1,"b":2,"c":[3]}', { whitelist })).toBe('{"a":1,"c":[3]}');
  expect(verdict('{"b":2}', { whitelist })).toBe('{}');
  expect(verdict('null', { whitelist })).toBe('{}');
  expect(verdict('{"a":1,"k":"v"}', { whitelist, requireField: 'k', requireValue: 'v' })).toBe('{"a":1}');
});
