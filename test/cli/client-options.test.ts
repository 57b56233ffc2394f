import { describe, expect, test } from 'vitest';
import { passedOptions, SOURCE_SETTINGS, sourceAddresses } from '../../src/cli/client-options.js';
import { resolveSettings } from '../../src/cli/resolution.js';

const silent = { warn: () => {} };

test("go-nsq's options become ours", () => {
  const given = ['max_in_flight,500', 'msg-timeout,1m30s', 'client_id,a,b', 'heartbeat_interval,5s'];
  expect(passedOptions('consumer-opt', given, silent)).toEqual({
    maxInFlight: 500,
    msgTimeout: 90_000,
    clientId: 'a,b',
    heartbeatInterval: 5000,
  });
});

test('one without effect is said', () => {
  const warnings: string[] = [];
  expect(passedOptions('producer-opt', ['snappy'], { warn: (line) => warnings.push(line) })).toEqual({});
  expect(warnings).toEqual(['--producer-opt snappy has no effect yet']);
});

test('an unknown one is refused', () => {
  expect(() => passedOptions('consumer-opt', ['max_inflight,5'], silent)).toThrow(
    '--consumer-opt has no option max_inflight',
  );
});

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
