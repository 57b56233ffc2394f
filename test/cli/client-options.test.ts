import { describe, expect, test } from 'vitest';
import { SOURCE_SETTINGS, sourceAddresses } from '../../src/cli/client-options.js';
import { resolveSettings } from '../../src/cli/resolution.js';

describe('where messages come from', () => {
  const from = (flags: Record<string, string[]>, environment: Record<string, string> = {}): unknown => {
    const { values, sources } = resolveSettings(SOURCE_SETTINGS, flags, environment);
    return sourceAddresses(values as Parameters<typeof sourceAddresses>[0], sources);
  };
  const NSQD = { nsqdTcpAddresses: ['a:1'] };
  const LOOKUPD = { lookupdHttpAddresses: ['l:1', 'l:2'] };

  test.each([
    ['nothing', {}, {}, { nsqdTcpAddresses: ['127.0.0.1:4150'] }],
    ['nsqds', { 'nsqd-tcp-address': ['a:1'] }, {}, NSQD],
    ['lookupds', { 'lookupd-http-address': ['l:1', 'l:2'] }, {}, LOOKUPD],
    [
      'lookupds, nsqds elsewhere',
      { 'lookupd-http-address': ['l:1', 'l:2'] },
      { NSQ_NSQD_TCP_ADDRESS: 'a:1' },
      LOOKUPD,
    ],
    ['nsqds, lookupds elsewhere', { 'nsqd-tcp-address': ['a:1'] }, { NSQ_LOOKUPD_HTTP_ADDRESS: 'l:1' }, NSQD],
  ])('%s given', (_, flags, environment, expected) => {
    expect(from(flags, environment as Record<string, string>)).toEqual(expected);
  });

  test('both given in one place are refused', () => {
    expect(() => from({ 'nsqd-tcp-address': ['a:1'], 'lookupd-http-address': ['l:1'] })).toThrow(/not both/);
  });
});
