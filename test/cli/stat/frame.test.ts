import { stripVTControlCharacters } from 'node:util';
import { Chalk } from 'chalk';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type FrameOptions, frame } from '../../../src/cli/stat/frame.js';
import { makeReport } from '../../../src/cli/stat/report.js';
import { compact, grouped } from '../../../src/cli/stat/stat-table.js';
import { channel, sample, topic } from './rows.js';

const colors = new Chalk({ level: 1 });

function report(topics: number, depth = 1234): ReturnType<typeof makeReport> {
  const list = Array.from({ length: topics }, (_, index) =>
    topic(`customer-events-${index + 10}`, { channels: [channel('archive', { depth, connections: 2 })] }),
  );
  return makeReport(sample(0, { 'n:1': list }), { intervalMs: 1000, perNode: false });
}

function lines(of: ReturnType<typeof makeReport>, options: Partial<FrameOptions> = {}): string[] {
  return frame(of, {
    ...{ rows: of.rows, width: 80, height: 24, offset: 0, pace: '2s', keys: 'arrow keys', colors },
    ...{ isTree: true, perNode: false, ...options },
  }).map((line) => stripVTControlCharacters(line));
}

describe('a frame', () => {
  test('summary, headings, and channels below their topics', () => {
    expect(lines(report(1))).toEqual([
      expect.stringMatching(/^nsqd n:1 \(1\.3\.0\) {3}\d\d:\d\d:\d\d, every 2s, q quits$/),
      '1 topic, 1 channel   depth 1,234   in flight 0   2 consumers',
      '',
      'name               depth mem disk inflt def req t-o msgs in/s out/s conns',
      'customer-events-10     0   0    0     -   -   -   -    0    -     -     -',
      '  archive           1234   0    0     0   0   0   0    0    -     -     2',
    ]);
  });

  test('shows every column in 80, also with long queues', () => {
    expect(lines(report(1, 123_456_789))[3]).toMatch(
      /depth +mem +disk +inflt +def +req +t-o +msgs +in\/s +out\/s +conns$/,
    );
  });

  test('no wider and no higher than the terminal, whatever that is', () => {
    const many = report(30, 9_876_543);
    fc.assert(
      fc.property(
        fc.integer({ min: 12, max: 200 }),
        fc.integer({ min: 1, max: 60 }),
        fc.nat(70),
        (width, height, offset) => {
          const shown = lines(many, { width, height, offset });
          expect(shown.length).toBeLessThanOrEqual(height);
          for (const line of shown) expect(line.length).toBeLessThanOrEqual(width);
        },
      ),
      { numRuns: 30 },
    );
  });

  test('says which rows are there, and shows others further down', () => {
    const top = lines(report(30));
    expect(top).toHaveLength(24);
    expect(top[23]).toBe('rows 1 to 19 of 60: arrow keys');
    const bottom = lines(report(30), { offset: 1000 });
    expect(bottom[23]).toBe('rows 42 to 60 of 60: arrow keys');
    expect(bottom[22]).toMatch(/^ {2}archive/);
    expect(lines(report(30), { height: Number.POSITIVE_INFINITY })).toHaveLength(64);
  });

  test('who does not answer, and who is not well', () => {
    const partial = makeReport(sample(0, { 'a:1': [topic('t')], 'b:1': undefined }), {
      intervalMs: 1000,
      perNode: false,
    });
    expect(lines(partial).slice(0, 3)).toEqual([
      expect.stringMatching(/^1 of 2 nsqds /),
      expect.anything(),
      'b:1: nobody there',
    ]);
    const unwell = { ...partial, nodes: [{ address: 'a:1', version: '1', health: 'NOK', error: undefined }] };
    expect(lines(unwell)[2]).toBe('a:1: NOK');
    expect(lines(partial, { trouble: 'no nsqd answers' })[2]).toBe('trying again: no nsqd answers');
  });

  test('paths where rows are not in the order of names; nsqds apart', () => {
    expect(lines(report(1), { isTree: false, width: 100 })[5]).toMatch(/^customer-events-10\/archive /);
    const [own] = report(1).rows;
    const shown = lines(report(1), { rows: [{ ...own!, node: 'n:1', paused: true }], perNode: true });
    expect(shown[4]).toMatch(/^customer-ev.*$/);
    expect(lines(report(1), { rows: [{ ...own!, paused: true }], width: 200 })[4]).toMatch(
      /^customer-events-10 \(paused\) /,
    );
  });

  test('nothing to show', () => {
    expect(lines(report(0)).at(-1)).toMatch(/^no topics yet: nsq pub /);
    expect(lines(report(1), { rows: [] }).at(-1)).toBe('nothing fits --filter');
  });
});

test.each([
  [0, '0'],
  [9999, '9999'],
  [10_000, '10.0k'],
  [99_949, '99.9k'],
  [99_960, '100k'],
  [999_499, '999k'],
  [999_500, '1.0M'],
  [12_345_678, '12.3M'],
  [4.6, '5'],
  [-12_345, '-12.3k'],
  [9e15, '9.0P'],
])('%d is %s', (value, text) => {
  expect(compact(value)).toBe(text);
});

test('grouped', () => {
  expect([grouped(0), grouped(1234567.4)]).toEqual(['0', '1,234,567']);
});
