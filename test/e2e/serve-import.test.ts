import { readdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import { messages, NsqdData } from '../broker/takeover/support/nsqd-data.js';
import { tempDir } from '../support/temp.js';
import { nsq, Serve } from './cli-process.js';

const ONLY = ['serve', '--import-only', '--data-path'];

function nsqdData(): NsqdData {
  return new NsqdData(tempDir())
    .metadata({ orders: ['archive', 'billing!'], 'later!': [] })
    .queue('orders:archive', messages(0, 12))
    .queue('orders:billing', messages(0, 1))
    .queue('later', messages(20, 23));
}

test('--import-only says what it imported, listens nowhere and ends with 0', async () => {
  const { path } = nsqdData();
  const { code, stdout, stderr } = await nsq([...ONLY, path]);
  expect(
    stdout
      .split(path)
      .join('<path>')
      .replace(/\d{4}-\S+Z/, '<time>')
      .split('\n'),
  ).toEqual([
    'topic orders',
    '  channel archive: 12 messages',
    '  channel billing (paused): 1 message',
    'topic later (paused): 3 messages that no channel had got yet',
    "imported 2 topics with 15 messages; nsqd's files are in <path>/nsqd-imported-<time> now",
    '',
  ]);
  expect(code).toBe(0);
  expect(stderr).toContain('TOPIC(orders): imported from nsqd');
  expect(stderr).not.toContain('listening');
  expect(readdirSync(path).sort()).toEqual(['nsq-data', expect.stringMatching(/^nsqd-imported-/)]);
  const again = await nsq([...ONLY, path]);
  expect([again.code, again.stdout]).toEqual([0, 'nothing of nsqd to import\n']);
});

test('--json: the report as one object; a later start serves what was imported', async () => {
  const { path } = nsqdData();
  const { stdout } = await nsq([...ONLY, path, '--json']);
  expect(JSON.parse(stdout)).toMatchObject({
    movedTo: expect.stringContaining(path),
    warnings: [],
    topics: [
      {
        name: 'orders',
        paused: false,
        outcome: 'imported',
        messages: 12,
        waiting: 0,
        channels: [
          { name: 'archive', paused: false, messages: 12 },
          { name: 'billing', paused: true, messages: 1 },
        ],
      },
      { name: 'later', paused: true, outcome: 'imported', messages: 3, waiting: 3, channels: [] },
    ],
  });
  const broker = await Serve.start(path);
  const orders = await broker.topic('orders');
  await broker.stop();
  expect(orders?.channels.map(({ depth }) => depth)).toEqual([12, 1]);
});

test('a broker imports when it starts', async () => {
  const broker = await Serve.start(nsqdData().path);
  const later = await broker.topic('later');
  const { stderr } = await broker.stop();
  expect(later?.depth).toBe(3);
  expect(stderr).toContain('imported from nsqd');
});

test('metadata that is none: one line, 1, and the files stay', async () => {
  const { path } = nsqdData().file('nsqd.dat', '{');
  const { code, stdout, stderr } = await nsq([...ONLY, path]);
  expect([code, stdout]).toEqual([1, '']);
  expect(stderr).toMatch(/^error: cannot read nsqd's metadata in [^\n]*nsqd\.dat[^\n]*\n$/);
  expect(readdirSync(path)).toContain('orders:archive.diskqueue.000000.dat');
  const asJson = await nsq([...ONLY, path, '--json']);
  expect([asJson.code, asJson.stderr]).toEqual([1, stderr]);
  expect(JSON.parse(asJson.stdout)).toEqual({
    movedTo: '',
    topics: [],
    warnings: [],
    error: expect.stringMatching(/^cannot read nsqd's metadata in /),
  });
});

test('--json without --import-only: wrong usage', async () => {
  const { code, stderr } = await nsq(['serve', '--json', '--data-path', tempDir()]);
  expect([code, stderr]).toEqual([2, 'error: --json goes with --import-only\n']);
});
