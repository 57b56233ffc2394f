import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { failuresOf, makeReport } from '../../../src/cli/stat/report.js';
import { channel, sample, topic } from './rows.js';

const OPTIONS = { intervalMs: 1000, perNode: false };

describe('sums over nsqds', () => {
  const two = sample(0, {
    'b:1': [topic('t', { depth: 2, messages: 10, channels: [channel('c', { depth: 5, connections: 1 })] })],
    'a:1': [
      topic('t', { depth: 1, paused: true, channels: [channel('c', { depth: 7, connections: 2 })] }),
      topic('only-here'),
    ],
  });

  test('a row for each topic and channel, by name', () => {
    const { rows } = makeReport(two, OPTIONS);
    expect(rows).toMatchObject([
      { topic: 'only-here', channel: '', depth: 0, node: '' },
      { topic: 't', channel: '', depth: 3, messages: 10, paused: true, inFlight: undefined, node: '' },
      { topic: 't', channel: 'c', depth: 12, connections: 3, paused: false, inFlight: 0 },
    ]);
  });

  test('or for each nsqd', () => {
    const { rows } = makeReport(two, { ...OPTIONS, perNode: true });
    expect(rows.map((row) => [row.topic, row.channel, row.node, row.depth])).toEqual([
      ['only-here', '', 'a:1', 0],
      ['t', '', 'a:1', 1],
      ['t', '', 'b:1', 2],
      ['t', 'c', 'a:1', 7],
      ['t', 'c', 'b:1', 5],
    ]);
  });

  test('an nsqd that has not answered is named', () => {
    const report = makeReport(sample(0, { 'a:1': [topic('t')], 'b:1': undefined }), OPTIONS);
    expect(failuresOf(report)).toMatchObject([{ address: 'b:1', message: 'nobody there' }]);
    expect(report.rows).toHaveLength(1);
  });

  test('are those of the parts, whatever they are', () => {
    const depths = fc.array(fc.nat(), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(depths, (parts) => {
        const nodes = Object.fromEntries(parts.map((depth, index) => [`n${index}`, [topic('t', { depth })]]));
        const { rows } = makeReport(sample(0, nodes), OPTIONS);
        expect(rows).toMatchObject([{ depth: parts.reduce((sum, one) => sum + one, 0) }]);
      }),
    );
  });
});

describe('rates', () => {
  const at = (ms: number, messages: number, depth = 0): ReturnType<typeof sample> =>
    sample(ms, { n: [topic('t', { messages, channels: [channel('c', { messages, depth })] })] });
  const rates = (
    earlier: ReturnType<typeof sample>,
    later: ReturnType<typeof sample>,
  ): (number | undefined)[][] =>
    makeReport(later, { ...OPTIONS, earlier }).rows.map(({ rate, outRate }) => [rate, outRate]);

  test('are not known from one sample', () => {
    expect(makeReport(at(0, 5), OPTIONS).rows).toMatchObject([
      { rate: undefined, outRate: undefined },
      { rate: undefined },
    ]);
  });

  test('what came, and what went', () => {
    expect(rates(at(0, 100, 40), at(1000, 160, 50))).toEqual([
      [60, 60],
      [60, 50],
    ]);
  });

  test('messages that come back are less than none that went', () => {
    expect(rates(at(0, 100, 0), at(1000, 100, 8))[1]).toEqual([0, -8]);
  });

  test('a time near the interval counts as the interval, another one as it is', () => {
    expect(rates(at(0, 0), at(1040, 100))[0]).toEqual([100, 100]);
    expect(rates(at(0, 0), at(4000, 100))[0]).toEqual([25, 25]);
  });

  test('a counter that begins anew has not gone down', () => {
    expect(rates(at(0, 100), at(1000, 7))[0]).toEqual([7, 7]);
  });

  test('a topic that is new counts from nothing', () => {
    expect(rates(sample(0, { n: [] }), at(1000, 9))[0]).toEqual([9, 9]);
  });

  test('an nsqd that comes back brings no leap', () => {
    const both = { a: [topic('t', { messages: 1000 })], b: [topic('t', { messages: 5000 })] };
    const later = makeReport(sample(1000, both), {
      ...OPTIONS,
      earlier: sample(0, { a: [topic('t', { messages: 900 })], b: undefined }),
    });
    expect(later.rows).toMatchObject([{ rate: 100, messages: 6000 }]);
  });
});
