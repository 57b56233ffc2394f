import { resolve } from 'node:path';
import { Chalk } from 'chalk';
import { expect, test } from 'vitest';
import { startupSummary } from '../../../src/cli/serve/startup-summary.js';

const plain = new Chalk({ level: 0 });

test('addresses, data path, durability, and what to do next', () => {
  const broker = {
    tcpAddress: '0.0.0.0:4150',
    httpAddress: '0.0.0.0:4151',
    httpsAddress: '0.0.0.0:4152',
    dataPath: '/data',
  };
  const summary = startupSummary(broker, 'os', '1.2.3', plain);
  expect(summary).toContain('nsq 1.2.3');
  expect(summary).toMatch(/TCP +0\.0\.0\.0:4150/);
  expect(summary).toMatch(/HTTP +0\.0\.0\.0:4151/);
  expect(summary).toMatch(/HTTPS +0\.0\.0\.0:4152/);
  expect(summary).toMatch(/data path +\/data/);
  expect(summary).toMatch(/durability +os \(.*kill -9\)/);
  expect(summary).toContain('nsq tail --topic test\n');
});

test('the commands name the address where it is not the default', () => {
  const broker = { tcpAddress: '0.0.0.0:5000', httpAddress: '', httpsAddress: '', dataPath: 'data' };
  const summary = startupSummary(broker, 'fsync', '1.2.3', plain);
  expect(summary).toContain(resolve('data'));
  expect(summary).toContain('nsq tail --topic test --nsqd-tcp-address 127.0.0.1:5000');
  expect(summary).toMatch(/HTTP +off/);
  expect(summary).not.toContain('HTTPS');
});
