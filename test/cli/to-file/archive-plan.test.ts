import { describe, expect, test } from 'vitest';
import { resolveSettings } from '../../../src/cli/resolution.js';
import { archivePlan } from '../../../src/cli/to-file/archive-plan.js';
import { TO_FILE_SETTINGS } from '../../../src/cli/to-file/to-file-settings.js';
import { recorder } from './support/logs.js';

function planOf(flags: Record<string, string | boolean | string[]>) {
  const { values, sources } = resolveSettings(TO_FILE_SETTINGS, flags, {});
  const { logger, lines } = recorder();
  const plan = archivePlan(values as Parameters<typeof archivePlan>[0], sources, {}, logger);
  return { plan, lines };
}

describe('archivePlan', () => {
  test.each<[Parameters<typeof planOf>[0], RegExp]>([
    [{}, /^--topic or --topic-pattern required$/],
    [{ 'topic-pattern': 'x' }, /^--lookupd-http-address must be specified when no --topic specified$/],
    [{ topic: 'a b' }, /^"a b" is no topic name$/],
    [{ topic: 't', channel: '' }, /^--channel is missing$/],
    [{ topic: 't', gzip: true, 'filename-format': 'x' }, /^missing <REV> in --filename-format/],
    [{ topic: 't', 'rotate-size': '5', 'filename-format': 'x' }, /^missing <REV> in/],
    [{ topic: 't', 'rotate-interval': '1m', 'filename-format': 'x' }, /^missing <REV> in/],
    [{ topic: 't', 'work-dir': '/tmp/w', 'filename-format': 'x' }, /^missing <REV> in/],
    [{ topic: 't', 'gzip-level': '10' }, /^invalid value for --gzip-level: 10 is out of range: 1 to 9$/],
    [{ topic: 't', 'topic-pattern': '(' }, /^invalid value for --topic-pattern/],
    [{ topic: 't', 'topic-pattern': '^x' }, /^no --topic matches --topic-pattern \^x$/],
    [{ topic: 't', 'nsqd-tcp-address': 'a:1', 'lookupd-http-address': 'b:1' }, /^use .* not both$/],
    [{ topic: 't', 'http-client-connect-timeout': '0s' }, /^invalid value for --http-client-connect-timeout/],
    [{ topic: 't', 'http-client-request-timeout': '0s' }, /^invalid value for --http-client-request-timeout/],
    [{ topic: 't', 'sync-interval': '0s' }, /^invalid value for --sync-interval/],
    [{ topic: 't', format: 'xml' }, /^--format "xml" is none of/],
    [{ topic: 't', 'log-level': 'loud' }, /^invalid value for --log-level/],
  ])('%j is wrong usage', (flags, message) => {
    expect(() => planOf(flags)).toThrow(message);
  });

  test('of the topics, those that match; the others are named', () => {
    const { lines } = planOf({ topic: ['orders', 'users'], 'topic-pattern': '^o' });
    expect(lines).toEqual(["warn skipping topic users (doesn't match pattern ^o)"]);
  });

  test('--log-level keeps the less severe lines away', () => {
    const { lines } = planOf({ topic: ['orders', 'users'], 'topic-pattern': '^o', 'log-level': 'ERROR' });
    expect(lines).toEqual([]);
  });
});
