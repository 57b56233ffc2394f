import { expect, test } from 'vitest';
import { goRegExp } from '../../src/protocol/go-regexp.js';

test.each([
  ['.*', ['', 'anything'], []],
  ['', ['', 'anything'], []],
  ['^orders$', ['orders'], ['orders2', 'my_orders']],
  ['orders', ['my_orders_2'], ['order']],
  ['(?i)^ORDERS', ['orders'], ['my_orders']],
  ['\\Aorders\\z', ['orders'], ['orders2', 'my_orders']],
  ['^(?P<kind>a|b)_(?P<rest>.*)$', ['a_x', 'b_'], ['c_x']],
  ['^[[:alpha:]_]+$', ['a_b'], ['a1', '']],
  ['^[^[:digit:]]+$', ['a_b'], ['a1']],
  ['^\\Qa.b\\E$', ['a.b'], ['axb']],
  ['^\\Qa.b', ['a.bc'], ['axb']],
  ['^(?:orders|payments)\\.[0-9]{2,}(#ephemeral)?$', ['orders.10', 'payments.123#ephemeral'], ['orders.1']],
  ['^a\\[:alpha:\\]', ['a[:alpha:]'], ['ab']],
])('%s', (pattern, yes, no) => {
  const regExp = goRegExp(pattern);
  expect(yes.filter((name) => !regExp.test(name))).toEqual([]);
  expect(no.filter((name) => regExp.test(name))).toEqual([]);
});

test.each(['(', '[', '*', 'a{2,1}', '(?P<x'])('%s is none', (pattern) => {
  expect(() => goRegExp(pattern)).toThrow(SyntaxError);
});
