import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openBroker } from '../support/brokers.js';
import { contentOf, expected, importFrom, newData } from './support/imports.js';
import { dataName, messages, metaName } from './support/nsqd-data.js';

/** nsqd's file names in a data path. */
function left(path: string): string[] {
  return readdirSync(path).filter((name) => name !== 'nsq-data' && !name.startsWith('nsqd-imported-'));
}

test('topics, channels, pauses and messages of every queue, with timestamps, attempts and order', async () => {
  const data = newData()
    .metadata({ orders: ['archive', 'billing!', 'unused'], 'later!': ['x'], lonely: [] })
    .queue('orders:archive', messages(10, 60), { maxBytesPerFile: 500, read: 5 })
    .queue('orders:billing', messages(30, 60))
    .queue('orders:unused', [])
    .queue('orders', messages(60, 65))
    .queue('later:x', messages(0, 3))
    .queue('later', messages(3, 7))
    .queue('lonely', messages(0, 4));
  const { report, lines } = await importFrom(data);
  expect(lines).toEqual([]);
  expect(report.movedTo).toMatch(/nsqd-imported-\d{4}-\d\d-\d\dT\d\d-\d\d-\d\dZ$/);
  expect(report.topics.map(({ name, messages: count, waiting }) => [name, count, waiting])).toEqual([
    ['orders', 50, 5],
    ['later', 7, 4],
    ['lonely', 4, 4],
  ]);
  expect(left(data.path)).toEqual([]);
  expect(readdirSync(report.movedTo)).toContain('nsqd.dat');
  expect(await contentOf(data)).toEqual({
    later: {
      paused: true,
      waiting: 4,
      channels: { x: { paused: false, messages: expected(messages(0, 3)) } },
    },
    lonely: { paused: false, waiting: 4, channels: {} },
    orders: {
      paused: false,
      waiting: 0,
      channels: {
        archive: { paused: false, messages: expected(messages(15, 65)) },
        billing: { paused: true, messages: expected(messages(30, 65)) },
        unused: { paused: false, messages: expected(messages(60, 65)) },
      },
    },
  });
});

test('messages that were delivered before come with their attempts, among the new ones', async () => {
  const again = [3, 5, 11].map((id) => ({ id, attempts: id }));
  const data = newData()
    .metadata({ t: ['a', 'b'] })
    .queue('t:a', [...messages(6, 11), ...messages(12, 20), ...again])
    .queue('t:b', messages(0, 20));
  await importFrom(data);
  const { channels } = (await contentOf(data)).t!;
  expect(channels.b!.messages).toEqual(expected(messages(0, 20)));
  const byTime = [...channels.a!.messages].sort((a, b) => Number(a[2] - b[2]));
  const all = [...messages(6, 11), ...messages(12, 20), ...again].sort((a, b) => a.id - b.id);
  expect(byTime).toEqual(expected(all));
  const fresh = channels.a!.messages.filter(([, attempts]) => attempts === 1);
  expect(fresh).toEqual(expected([...messages(6, 11), ...messages(12, 20)]));
});

test('what a channel had finished or held stays so over further restarts', async () => {
  const data = newData()
    .metadata({ t: ['a', 'b'] })
    .queue('t:a', [...messages(0, 5), ...messages(8, 12), { id: 6, attempts: 4 }, { id: 13, attempts: 1 }])
    .queue('t:b', messages(0, 20));
  await importFrom(data);
  const first = await openBroker({ dataPath: data.path });
  // A journal that says it anew.
  first.topics.get('t')!.channel('c');
  await first.close();
  const { channels } = (await contentOf(data)).t!;
  expect(channels.a!.messages).toHaveLength(11);
  expect(channels.a!.messages.find(([body]) => body === 'message 6')?.[1]).toBe(5);
  expect(channels.a!.messages.find(([body]) => body === 'message 13')?.[1]).toBe(2);
  expect((await contentOf(data)).t!.channels.a!.messages).toEqual([]);
});

test('a second start finds nothing more to import', async () => {
  const data = newData()
    .metadata({ t: ['a'] })
    .queue('t:a', messages(0, 3));
  await importFrom(data);
  expect((await importFrom(data)).report).toEqual({ movedTo: '', topics: [], warnings: [] });
  expect((await contentOf(data)).t!.channels.a!.messages).toHaveLength(3);
});

test('without nsqd.dat, the queue files say what there is', async () => {
  const data = newData().queue('t:a', messages(0, 3)).queue('t:b', []).queue('u', messages(0, 2));
  await importFrom(data);
  const { t, u } = await contentOf(data);
  expect(Object.keys(t!.channels)).toEqual(['a', 'b']);
  expect(t!.channels.a!.messages).toEqual(expected(messages(0, 3)));
  expect(u!.waiting).toBe(2);
});

test('what nsqd.dat does not list is imported if it has messages, and only then', async () => {
  const data = newData()
    .metadata({ t: ['a'] })
    .queue('t:gone', [])
    .queue('t:forgotten', messages(0, 2))
    .queue('empty', [])
    .queue('empty:x', [])
    .queue('full', messages(0, 2));
  const { lines } = await importFrom(data);
  expect(lines).toEqual([
    'warn channel forgotten of topic t is not in nsqd.dat, but has messages: imported',
    'warn topic full is not in nsqd.dat, but has messages: imported',
  ]);
  const content = await contentOf(data);
  expect(Object.keys(content)).toEqual(['full', 't']);
  expect(Object.keys(content.t!.channels)).toEqual(['a', 'forgotten']);
  expect(left(data.path)).toEqual([]);
});

test.each([
  '',
  '{"topics":[',
  '[]',
  '{"topics":5}',
  '{"topics":[{"name":7}]}',
  '{"topics":[{"name":"t","paused":"no"}]}',
])('nsqd.dat that says %j: an error, and nothing is touched', async (text) => {
  const data = newData().file('nsqd.dat', text).queue('t:a', messages(0, 3));
  await expect(importFrom(data)).rejects.toMatchObject({
    code: 'E_FORMAT',
    message: expect.stringContaining('nsqd.dat'),
  });
  expect(left(data.path).sort()).toEqual(['nsqd.dat', dataName('t:a'), metaName('t:a')]);
  expect(readdirSync(join(data.path, 'nsq-data', 'topics'))).toEqual([]);
});

test('names that are none are left out, and so is what nsqd gave up: a line for each queue, and all goes aside', async () => {
  const unused = [
    ...[5, 6, 7].map((number) => `${dataName('t:a', number)}.bad`),
    'nsqd.dat.8674665223082153551.tmp',
    `${metaName('t:a')}.605394647632969758.tmp`,
    dataName('e#ephemeral:n'),
    dataName('t:a:b'),
  ];
  const data = newData()
    .metadata({ 't t': [], 'e#ephemeral': [], t: ['c c', 'c#ephemeral', 'a'] })
    .queue('t t', messages(0, 20), { maxBytesPerFile: 100 })
    .queue('t:a', messages(0, 2))
    .file('nsqd.dat.bad', 'not of nsqd');
  for (const name of unused) data.file(name, 'x');
  const { report, lines } = await importFrom(data);
  expect(report.topics.map(({ name, messages: count }) => [name, count])).toEqual([['t', 2]]);
  expect(lines).toEqual([
    "warn topic left out: 't t' is no valid name",
    "warn topic left out: 'e#ephemeral' is ephemeral",
    "warn channel of topic t left out: 'c c' is no valid name",
    "warn channel of topic t left out: 'c#ephemeral' is ephemeral",
    "warn queue e#ephemeral:n left out: 'e#ephemeral' is ephemeral",
    "warn queue t t left out: 't t' is no valid name",
    "warn queue t:a:b left out: 'a:b' is no valid name",
    'warn queue t:a: left out what nsqd could not read, .bad files: 3',
  ]);
  expect(left(data.path)).toEqual(['nsqd.dat.bad']);
  expect(readdirSync(report.movedTo)).toEqual(
    expect.arrayContaining([...unused, metaName('t t'), dataName('t t', 3)]),
  );
});

test('a topic that is there already is not mixed with one of nsqd: its files are left', async () => {
  const data = newData();
  const broker = await openBroker({ dataPath: data.path });
  await broker.publish('t', 'ours');
  await broker.close();
  data
    .metadata({ t: ['a'], u: [] })
    .queue('t:a', messages(0, 3))
    .queue('u', messages(0, 2));
  const { report, lines } = await importFrom(data);
  expect(report.topics.map(({ name, outcome }) => [name, outcome])).toEqual([
    ['t', 'left'],
    ['u', 'imported'],
  ]);
  expect(lines).toEqual([expect.stringContaining('error topic t not imported')]);
  expect(left(data.path).sort()).toEqual([dataName('t:a'), metaName('t:a')]);
  const content = await contentOf(data);
  expect([content.t!.waiting, content.u!.waiting]).toEqual([1, 2]);
});

test('a topic that is there already takes no harm from queues of nsqd that are empty', async () => {
  const data = newData();
  const broker = await openBroker({ dataPath: data.path });
  await broker.publish('t', 'ours');
  await broker.close();
  data
    .metadata({ t: ['a'] })
    .queue('t:a', messages(0, 3), { read: 3 })
    .queue('t', []);
  const { report, lines } = await importFrom(data);
  expect([report.topics, lines, left(data.path)]).toEqual([[], [], []]);
  expect((await contentOf(data)).t!.waiting).toBe(1);
});

test('the metadata file of an older nsqd', async () => {
  const data = newData().metadata({ t: ['a!'] });
  data.file('nsqd.521.dat', JSON.stringify({ topics: [{ name: 'old', channels: [] }], version: '0.3.8' }));
  const { report } = await importFrom(data);
  expect(report.topics.map(({ name }) => name)).toEqual(['t']);
  const older = newData().file(
    'nsqd.521.dat',
    '{"topics":[{"name":"old","channels":[{"name":"c","paused":true}]}]}',
  );
  await importFrom(older);
  expect(await contentOf(older)).toEqual({
    old: { paused: false, waiting: 0, channels: { c: { paused: true, messages: [] } } },
  });
});

test('a killed nsqd: what its position file leaves out is imported; messages that are in a queue twice come once', async () => {
  const data = newData()
    .metadata({ t: ['a', 'b'] })
    .queue('t:a', [...messages(0, 50), { id: 3, attempts: 1 }, { id: 4, attempts: 2 }], {
      unknown: 30,
      read: 2,
    })
    .queue('t:b', messages(0, 52), { maxBytesPerFile: 400, unknown: 40 })
    .queue('t', messages(48, 55), { unknown: 7 });
  const { lines } = await importFrom(data);
  const { channels } = (await contentOf(data)).t!;
  const a = [...channels.a!.messages].sort((x, y) => Number(x[2] - y[2]));
  // 48 and 49 are in both queues; 50 and 51 in one, and come in the other from the topic's own.
  expect(a.map(([body]) => body)).toEqual(messages(2, 55).map(({ id }) => `message ${id}`));
  expect(a.filter(([, attempts]) => attempts > 1)).toEqual(
    expected([
      { id: 3, attempts: 1 },
      { id: 4, attempts: 2 },
    ]),
  );
  expect(channels.b!.messages).toEqual(expected(messages(0, 55)));
  expect(lines.join('\n')).toMatch(/t:a: its position file is older/);
  expect(lines.join('\n')).toMatch(/t:a: 2 messages are in it twice/);
  expect(lines.join('\n')).toMatch(/queue t: 2 messages left out/);
  expect(lines.join('\n')).toMatch(/queue t: 2 messages are in some channels' queues already/);
});

test.each([
  ['none', undefined],
  ['one of nonsense', 'abc'],
])('position file: %s', async (_, text) => {
  const data = newData()
    .metadata({ t: ['a'] })
    .queue('t:a', messages(0, 10), { noMeta: true });
  if (text !== undefined) data.file(metaName('t:a'), text);
  const { lines } = await importFrom(data);
  expect(lines[0]).toMatch(/all of its data is imported/);
  expect((await contentOf(data)).t!.channels.a!.messages).toEqual(expected(messages(0, 10)));
});

test.each([
  ['reads behind where it writes, by file', '10\n7,0\n0,390\n'],
  ['reads behind where it writes, in a file', '10\n0,390\n0,39\n'],
])('a position file that %s: all of its data is imported', async (_, text) => {
  const data = newData()
    .metadata({ t: ['a'] })
    .queue('t:a', messages(0, 10))
    .file(metaName('t:a'), text);
  const { lines } = await importFrom(data);
  expect(lines).toEqual([
    `warn queue t:a: its position file ${metaName('t:a')} is not readable: all of its data is imported`,
  ]);
  expect((await contentOf(data)).t!.channels.a!.messages).toEqual(expected(messages(0, 10)));
});

test('data files that are not there are named', async () => {
  const data = newData()
    .metadata({ t: ['a'] })
    .queue('t:a', messages(0, 10), { maxBytesPerFile: 39 });
  for (const number of [3, 4, 7, 9]) rmSync(join(data.path, dataName('t:a', number)));
  const { lines } = await importFrom(data);
  expect(lines).toEqual([
    'warn queue t:a: data files that should be there are missing: 3 to 4, 7, 9',
    'warn queue t:a: its position file says 10 messages, there are 6',
  ]);
  const kept = messages(0, 10).filter(({ id }) => [0, 1, 2, 5, 6, 8].includes(id));
  expect((await contentOf(data)).t!.channels.a!.messages).toEqual(expected(kept));
});

test('a killed nsqd: what the only filled channel has already does not come from the topic again', async () => {
  const data = newData()
    .metadata({ t: ['a', 'finished'] })
    .queue('t:a', messages(0, 10))
    .queue('t', messages(5, 15));
  const alone = newData()
    .metadata({ t: ['a'] })
    .queue('t:a', messages(0, 10))
    .queue('t', messages(5, 15));
  await importFrom(alone);
  expect((await contentOf(alone)).t!.channels.a!.messages).toEqual(expected(messages(0, 15)));
  const { lines } = await importFrom(data);
  expect(lines).toEqual([expect.stringMatching(/queue t: 5 messages are in some channels' queues already/)]);
  const { channels } = (await contentOf(data)).t!;
  expect(channels.a!.messages).toEqual(expected(messages(0, 15)));
  expect(channels.finished!.messages).toEqual(expected(messages(5, 15)));
});

test('a damaged record costs itself only', async () => {
  const data = newData()
    .metadata({ t: ['a'] })
    .queue('t:a', messages(0, 10));
  data.change(dataName('t:a'), (content) => {
    content.writeUInt32BE(0x7fffffff, 39 * 4);
    return content;
  });
  const { lines } = await importFrom(data);
  expect(lines).toEqual([
    expect.stringMatching(/^warn 39 bytes at 156 of .*t:a\.diskqueue\.000000\.dat are no messages/),
    'warn queue t:a: its position file says 10 messages, there are 9',
  ]);
  const { messages: got } = (await contentOf(data)).t!.channels.a!;
  expect(got).toEqual(expected([...messages(0, 4), ...messages(5, 10)]));
});

test('files that a build left unfinished are begun anew', async () => {
  const data = newData()
    .metadata({ t: ['a'] })
    .queue('t:a', messages(0, 3));
  const building = join(data.path, 'nsq-data', 'topics', 't.topic.importing');
  mkdirSync(building, { recursive: true });
  writeFileSync(join(building, '00000000000000000000.log'), 'half');
  await importFrom(data);
  expect((await contentOf(data)).t!.channels.a!.messages).toEqual(expected(messages(0, 3)));
});
