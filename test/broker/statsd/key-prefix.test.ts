import { expect, it } from 'vitest';
import { brokerPrefix, keyPrefix } from '../../../src/broker/statsd/key-prefix.js';

// What nsqd 1.3.0 answers to GET /config/statsd_prefix.
it.each([
  ['nsq.%s', 'my.host', 'nsq.my_host_4151.'],
  ['%s.%s', 'h', 'h_4151.h_4151.'],
  ['foo', 'h', 'foo.'],
  ['foo.', 'h', 'foo.'],
  ['a..', 'h', 'a..'],
  ['.', 'h', '.'],
  ['', 'h', ''],
  ['%s', '127.0.0.1', '127_0_0_1_4151.'],
  ['%s', '::1', '[__1]_4151.'],
  ['%s', 'fe80::1%eth0', '[fe80__1%eth0]_4151.'],
  ['%s', '', '_4151.'],
  ['%s.$&', 'h', 'h_4151.$&.'],
  ['%S.%s', 'h', '%S.h_4151.'],
])("'%s' of '%s' is '%s'", (prefix, address, expected) => {
  expect(brokerPrefix(prefix, address, 4151)).toBe(expected);
});

it('has a percent sign where two are written', () => {
  expect(keyPrefix('x%%y.')).toBe('x%y.');
  expect(keyPrefix('100%.')).toBe('100%.');
});
