import { Chalk } from 'chalk';
import { expect, test } from 'vitest';
import { lookupdSummary } from '../../../src/cli/lookupd/startup-summary.js';

test('addresses, and how brokers and clients are pointed at them', () => {
  const addresses = { tcpAddress: '0.0.0.0:4160', httpAddress: '[::]:4161' };
  const summary = lookupdSummary(addresses, '1.2.3', new Chalk({ level: 0 }));
  expect(summary).toContain('nsq 1.2.3: the lookupd is ready');
  expect(summary).toMatch(/TCP +0\.0\.0\.0:4160/);
  expect(summary).toContain('nsq serve --lookupd-tcp-address 127.0.0.1:4160\n');
  expect(summary).toContain('--lookupd-http-address 127.0.0.1:4161\n');
});
