import { describe, expect, test } from 'vitest';
import { makeReport } from '../../../src/cli/stat/report.js';
import { jsonFormat, nsqStatFormat, tsvFormat } from '../../../src/cli/stat/report-formats.js';
import { channel, row, sample, topic } from './rows.js';

const REPORT = makeReport(
  sample(0, {
    'a:1': [topic('t', { depth: 1, messages: 9, channels: [channel('c', { depth: 3, connections: 2 })] })],
    'b:1': undefined,
  }),
  { intervalMs: 1000, perNode: false },
);

describe('TSV', () => {
  test('a line of names, and one for each row; what is not known is empty', () => {
    const format = tsvFormat(false);
    expect(format.head).toBe(
      'time\ttopic\tchannel\tpaused\tdepth\tmemory\tdisk\tinFlight\tdeferred\trequeues\ttimeouts\tmessages\trate\toutRate\tconnections\n',
    );
    expect(format.print(REPORT, REPORT.rows)).toBe(
      '2026-01-01T00:00:00.000Z\tt\t\tfalse\t1\t0\t0\t\t\t\t\t9\t\t\t\n' +
        '2026-01-01T00:00:00.000Z\tt\tc\tfalse\t3\t0\t0\t0\t0\t0\t0\t0\t\t\t2\n',
    );
  });

  test('every line has as many fields as the first one, and rates at most two decimals', () => {
    const format = tsvFormat(true);
    const rows = [row('t', 'c', { node: 'a:1', rate: 1 / 3, outRate: -2 / 3 }), row('t')];
    const lines = (format.head + format.print(REPORT, rows)).slice(0, -1).split('\n');
    expect(new Set(lines.map((line) => line.split('\t').length))).toEqual(new Set([16]));
    expect(lines[1]).toContain('\t0.33\t-0.67\t');
  });
});

describe('JSON', () => {
  const print = (rows = REPORT.rows, perNode = false): Record<string, unknown> => {
    const text = jsonFormat(perNode).print(REPORT, rows);
    expect(text).toMatch(/^[^\n]+\n$/);
    return JSON.parse(text) as Record<string, unknown>;
  };

  test('time, nodes, what has failed, and channels within topics', () => {
    expect(print()).toEqual({
      time: '2026-01-01T00:00:00.000Z',
      nodes: [
        { address: 'a:1', version: '1.3.0', health: 'OK' },
        { address: 'b:1', error: 'nobody there' },
      ],
      failures: [{ address: 'b:1', error: 'nobody there' }],
      topics: [
        {
          ...{ topic: 't', paused: false, depth: 1, memory: 0, disk: 0, messages: 9 },
          ...{ rate: null, outRate: null },
          channels: [
            {
              ...{ channel: 'c', paused: false, depth: 3, memory: 0, disk: 0, inFlight: 0, deferred: 0 },
              ...{ requeues: 0, timeouts: 0, messages: 0, rate: null, outRate: null, connections: 2 },
            },
          ],
        },
      ],
    });
  });

  test('a topic whose channel alone is shown; nsqds apart', () => {
    expect(print([row('t', 'c')])).toMatchObject({ topics: [{ topic: 't', channels: [{ channel: 'c' }] }] });
    const apart = print([row('t', '', { node: 'a:1' }), row('t', '', { node: 'b:1' })], true);
    expect(apart).toMatchObject({ topics: [{ node: 'a:1' }, { node: 'b:1' }] });
  });
});

describe("nsq_stat's layout", () => {
  const HEAD =
    '------rate------+----------------depth----------------+--------------metadata---------------\n' +
    'ingress  egress |   total     mem    disk inflt   def |     req     t-o         msgs clients\n';

  test('to the blank', () => {
    const format = nsqStatFormat();
    const figures = { rate: 12.9, outRate: -3.9, depth: 1, memory: 2, disk: 3, inFlight: 4, deferred: 5 };
    const rows = [
      row('t'),
      row('t', 'c', { ...figures, requeues: 6, timeouts: 7, messages: 8, connections: 9 }),
    ];
    expect(format.head).toBe(HEAD);
    expect(format.print(REPORT, rows)).toBe(
      '     12      -3 |       1       2       3     4     5 |       6       7            8       9\n',
    );
  });

  test('the head again before every 25th line', () => {
    const format = nsqStatFormat();
    const lines = Array.from({ length: 50 }, () => format.print(REPORT, [row('t', 'c')]));
    expect(lines.flatMap((line, index) => (line.startsWith(HEAD) ? [index + 1] : []))).toEqual([25, 50]);
  });
});
