import { expect, test } from 'vitest';
import { LatencyReport } from '../../../src/cli/relay/latency-report.js';
import { Notice } from '../../../src/cli/relay/notice.js';
import { OutageReport } from '../../../src/cli/relay/outage-report.js';

function recorded() {
  const lines: string[] = [];
  let time = 0;
  return {
    lines,
    say: (line: string) => lines.push(line),
    now: () => time,
    pass: (ms: number) => (time += ms),
  };
}

test('a line after each so many requests, about these', () => {
  const { lines, say } = recorded();
  const report = new LatencyReport('aggregate', 4, say);
  for (const ms of [4, 1, 3, 2.5, 10, 20, 30]) report.add(ms);
  expect(lines).toEqual(['[aggregate]: finished 4 - 99th: 4.00ms - 95th: 4.00ms - avg: 2.63ms']);
  report.add(40);
  expect(lines[1]).toBe('[aggregate]: finished 4 - 99th: 40.00ms - 95th: 40.00ms - avg: 25.00ms');
});

test('percentiles are those of timer_metrics', () => {
  const { lines, say } = recorded();
  const report = new LatencyReport('x', 200, say);
  for (let ms = 200; ms >= 1; ms--) report.add(ms);
  expect(lines).toEqual(['[x]: finished 200 - 99th: 200.00ms - 95th: 192.00ms - avg: 100.50ms']);
});

test('0 is never', () => {
  const { lines, say } = recorded();
  const report = new LatencyReport('x', 0, say);
  for (let ms = 0; ms < 1000; ms++) report.add(ms);
  expect(lines).toEqual([]);
});

test('a failing target: at once, and when the reason is another; then every ten seconds with the count; back again once', () => {
  const { lines, say, now, pass } = recorded();
  const report = new OutageReport('a:1', say, now);
  report.succeeded();
  for (let n = 0; n < 6; n++) report.failed(new Error('refused'));
  pass(10_000);
  report.failed(new Error('refused'));
  pass(1000);
  report.failed(new Error('no answer'));
  report.succeeded();
  report.succeeded();
  expect(lines).toEqual([
    'not delivered to a:1: refused',
    'not delivered to a:1: refused (and 5 more)',
    'not delivered to a:1: no answer',
    'a:1 takes messages again',
  ]);
});

test('a target that fails now and then does not flood', () => {
  const { lines, say, now, pass } = recorded();
  const report = new OutageReport('a:1', say, now);
  for (let n = 0; n < 1000; n++) {
    report.failed(new Error('status 500'));
    report.succeeded();
    pass(5);
  }
  expect(lines.length).toBeLessThanOrEqual(12);
});

test('notices: the first, then one in ten seconds, the rest counted', () => {
  const { lines, say, now, pass } = recorded();
  const notice = new Notice(say, now);
  for (const line of ['a', 'b', 'c']) notice.say(line);
  pass(10_000);
  notice.say('d');
  notice.say('e');
  notice.flush();
  notice.flush();
  expect(lines).toEqual(['a', 'd (and 2 more before)', '1 more of the kind']);
});
