import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Exit, nsq, Serve, temporaryDirectory } from './cli-process.js';

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
let broker: Serve;

beforeAll(async () => {
  directory = await temporaryDirectory();
  broker = await Serve.start(directory.path);
});
afterAll(async () => {
  await broker.stop();
  await directory.remove();
});

const run = (line: string): Promise<Exit> =>
  nsq(line.split(' '), { env: { NSQ_NSQD_HTTP_ADDRESS: broker.httpAddress } });

describe('nsq topic and nsq channel', () => {
  test('what is created is listed', async () => {
    expect(await run('topic create b a')).toEqual({ code: 0, stdout: '', stderr: '' });
    const made = await run('channel create a y x --verbose');
    expect(made.stderr).toMatch(
      /^channel y of topic a: created at nsqd .*\nchannel x of topic a: created at /,
    );
    expect((await run('topic list')).stdout).toBe('a\nb\n');
    expect((await run('channel list a')).stdout).toBe('x\ny\n');
    expect((await run('channel list a b')).stdout).toBe('a\tx\na\ty\n');
    expect((await run('topic list --json')).stdout.split('\n')[0]).toBe(
      JSON.stringify({ topic: 'a', nsqds: [broker.httpAddress] }),
    );
    expect((await run('channel list a --json')).stdout.split('\n')[0]).toBe('{"topic":"a","channel":"x"}');
  });

  test('what is deleted is gone, and can be deleted again', async () => {
    await run('channel create a x y');
    expect((await run('channel delete a y --yes')).code).toBe(0);
    expect((await run('channel list a')).stdout).toBe('x\n');
    expect((await run('topic delete a b --yes')).code).toBe(0);
    expect((await run('topic list')).stdout).not.toMatch(/^[ab]$/m);
    expect(await run('topic delete a --yes')).toEqual({ code: 0, stdout: '', stderr: '' });
  });

  test('pause, empty and unpause, with a line for a program', async () => {
    await run('channel create p c');
    await fetch(`http://${broker.httpAddress}/pub?topic=p`, { method: 'POST', body: 'x' });
    const nodes = [{ kind: 'nsqd', address: broker.httpAddress, result: 'done' }];
    const paused = await run('channel pause p c --json');
    expect(JSON.parse(paused.stdout)).toEqual({ action: 'pause', topic: 'p', channel: 'c', ok: true, nodes });
    await run('topic pause p');
    expect(await broker.topic('p')).toMatchObject({ paused: true, channels: [{ depth: 1, paused: true }] });
    expect((await run('channel empty p c --yes')).code).toBe(0);
    expect((await run('topic empty p --yes')).code).toBe(0);
    await run('topic unpause p');
    await run('channel unpause p c');
    expect(await broker.topic('p')).toMatchObject({ paused: false, channels: [{ depth: 0, paused: false }] });
  });

  test.each([
    [
      'topic delete t',
      2,
      /^error: messages would be lost, and nobody is there to confirm it: nothing was done\. Say --yes/,
    ],
    ['channel empty t c', 2, /^error: messages would be lost/],
    ['topic create', 2, /^error: a topic is missing\. As in nsq topic create test\.\n$/],
    ['channel pause t', 2, /^error: a channel is missing\. /],
    ['topic create a/b', 2, /^error: "a\/b" is no topic name\. /],
    ['topic pause nope', 1, /^error: there is no topic nope to pause\. /],
    ['channel list nope', 1, /^error: there is no topic nope\. /],
    ['topic lst', 2, /^error: unknown command "topic lst"\. Did you mean "nsq topic list"\?\n$/],
    ['topic create t --nsqd-http-address 127.0.0.1:1', 1, /^error: topic t is not created: nsqd .*nsq serve/],
    ['topic list --nsqd-http-address 127.0.0.1:1', 1, /^error: no nsqd answers: /],
  ])('%s: one line', async (line, code, message) => {
    const exit = await run(line);
    expect([exit.code, exit.stdout]).toEqual([code, '']);
    expect(exit.stderr).toMatch(message);
    expect(exit.stderr.split('\n')).toHaveLength(2);
  });

  test('several failures: a line each, and how many', async () => {
    await run('topic create there');
    const { code, stderr } = await run('topic pause gone there lost');
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /^warning: there is no topic gone to pause\nwarning: there is no topic lost to pause\nerror: 2 of 3 failed\. /,
    );
    expect(await broker.topic('there')).toMatchObject({ paused: true });
  });
});
