import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createTestBroker, type TestBroker } from '../../src/testing/index.js';

const EXAMPLES = new URL('../../examples/', import.meta.url);

async function started(): Promise<TestBroker> {
  const broker = await createTestBroker();
  onTestFinished(() => broker.close());
  return broker;
}

/** Runs an example to its end, or until `onOutput` ends it. */
async function run(
  args: readonly string[],
  broker?: TestBroker,
  onOutput: (output: string, kill: (signal: NodeJS.Signals) => void) => void = () => undefined,
): Promise<{ code: number | null; output: string }> {
  const child = spawn(process.execPath, args, {
    cwd: fileURLToPath(EXAMPLES),
    env: { PATH: process.env.PATH, NO_COLOR: '1', NSQD_TCP_ADDRESS: broker?.tcpAddress },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (data) => {
      output += String(data);
      onOutput(output, (signal) => child.kill(signal));
    });
  }
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, output };
}

describe('examples', () => {
  it('publish.mjs', async () => {
    const broker = await started();
    const collected = broker.collect('orders');
    expect(await run(['publish.mjs'], broker)).toEqual({ code: 0, output: 'published\n' });
    expect(collected.messages).toHaveLength(3);
  });

  it('publish.mjs, when the broker refuses', async () => {
    const broker = await started();
    broker.failPublishes(1);
    const { code, output } = await run(['publish.mjs'], broker);
    expect(code).toBe(1);
    expect(output).toMatch(/^perhaps published: .*E_PUB_FAILED/);
  });

  it('publish-many.mjs', async () => {
    const broker = await started();
    expect(await run(['publish-many.mjs'], broker)).toEqual({
      code: 0,
      output: '100000 published, 0 failed\n',
    });
  });

  it('worker.mjs finishes what it has begun when it is told to end', async () => {
    const broker = await started();
    const orders = Array.from({ length: 30 }, (_, id) => JSON.stringify({ id }));
    await broker.publish('orders', ...orders);
    let isTold = false;
    const { code, output } = await run(['worker.mjs'], broker, (so, kill) => {
      if (isTold || !so.includes('billed')) return;
      isTold = true;
      kill('SIGTERM');
    });
    expect(code).toBe(0);
    expect(output.startsWith('ready\n')).toBe(true);
    expect(output.endsWith('closed\n')).toBe(true);
    const billed = output.match(/billed/g)?.length ?? 0;
    expect(await broker.stats('orders', 'billing')).toMatchObject({ depth: 30 - billed, inFlight: 0 });
  });

  it('dead-letters.mjs', async () => {
    const broker = await started();
    const { code, output } = await run(['dead-letters.mjs'], broker);
    expect(output.trim().split('\n').sort()).toEqual([
      'attempt 1: cannot do this',
      'attempt 2: cannot do this',
      'done: fine',
      'given up: broken',
      'to be looked at: broken',
    ]);
    expect(code).toBe(0);
  });

  it('testing/orders.node.test.mjs, by node:test', async () => {
    const { code, output } = await run(['--test', '--test-reporter=tap', 'testing/orders.node.test.mjs']);
    expect(output).toContain('# pass 2');
    expect(output).toContain('# fail 0');
    expect(code).toBe(0);
  });
});
