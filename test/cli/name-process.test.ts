import dns from 'node:dns';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { resolveInProcesses } from '../../src/cli/name-process.js';
import { IN_THREADS, Names } from '../../src/net/names.js';
import { cleanup, tempDir } from '../support/temp.js';

const FOUND: dns.LookupAddress[] = [{ address: '192.0.2.9', family: 4 }];

/** Names that this script is asked for; in a thread all are to be had. */
function namesBy(script: string) {
  const program = join(tempDir(), 'getent');
  writeFileSync(program, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  return namesOf(program);
}

function namesOf(program: string) {
  const inThread = vi.spyOn(dns, 'lookup').mockImplementation(((...args: unknown[]) => {
    process.nextTick(args.at(-1) as () => void, null, FOUND);
  }) as typeof dns.lookup);
  // A test's process is a big one.
  const size = vi.spyOn(process.memoryUsage, 'rss').mockReturnValue(50e6);
  const names = new Names(IN_THREADS);
  const before = new Set(process.listeners('exit'));
  resolveInProcesses(names, program);
  const [onExit] = process.listeners('exit').filter((one) => !before.has(one));
  cleanup(() => {
    for (const mock of [inThread, size]) mock.mockRestore();
    if (onExit) process.off('exit', onExit);
  });
  return { names, inThread, size, onExit };
}

describe('names of a command', () => {
  it('are those that the system has, in its order', async () => {
    const { names, inThread } = namesBy(
      'echo "2001:db8::1     STREAM $1.$2"; echo "2001:db8::1 DGRAM"; echo "192.0.2.1 STREAM"; echo nonsense',
    );
    expect(await names.resolve('a.test')).toEqual([
      { address: '2001:db8::1', family: 6 },
      { address: '192.0.2.1', family: 4 },
    ]);
    expect(inThread).not.toHaveBeenCalled();
  });

  it.runIf(process.platform === 'linux')('are read as getent writes them', async () => {
    const { names, inThread } = namesOf('getent');
    const [found] = await names.resolve('127.0.0.1');
    expect(found).toEqual({ address: '127.0.0.1', family: 4 });
    expect(inThread).not.toHaveBeenCalled();
  });

  it.each([
    ['is not found at once is asked for in a thread, which says why', 'a.test', 'exit 2'],
    ['might be taken for a flag is asked for in a thread', '-s', 'echo 192.0.2.1'],
  ])('one that %s', async (_, name, script) => {
    const { names } = namesBy(script);
    expect(await names.resolve(name)).toEqual(FOUND);
  });

  it.each([
    ['no getent', () => namesOf(join(tempDir(), 'none'))],
    ['another one', () => namesBy('exit 1')],
  ])(
    'are asked for in threads where there is %s, and no more at once than is good for threads',
    async (_, start) => {
      const { names } = start();
      const use = vi.spyOn(names, 'use');
      expect(await names.resolve('a.test')).toEqual(FOUND);
      expect(use).toHaveBeenCalledWith(IN_THREADS);
    },
  );

  it('one whose process is ended is not asked for in a thread, where it might hang', async () => {
    const { names, inThread } = namesBy('kill -9 $$');
    await expect(names.resolve('a.test')).rejects.toMatchObject({ code: 'EAI_AGAIN' });
    expect(inThread).not.toHaveBeenCalled();
  });

  it('one that was quick is asked for in a thread by a process that is big', async () => {
    const { names, inThread, size } = namesBy('echo 192.0.2.1');
    size.mockReturnValue(500e6);
    await names.resolve('a.test');
    expect(inThread).not.toHaveBeenCalled();
    expect(await names.resolve('a.test')).toEqual(FOUND);
  });

  it('that hang are dropped when the process exits', async () => {
    const { names, onExit } = namesBy('exec sleep 60');
    const failed = expect(names.resolve('a.test')).rejects.toMatchObject({ code: 'EAI_AGAIN' });
    const timer = setInterval(() => onExit?.(0), 10);
    cleanup(() => clearInterval(timer));
    await failed;
  });
});
