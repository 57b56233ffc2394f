import { expect, test } from 'vitest';
import { passedOptions } from '../../src/cli/client-options.js';

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
