import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { DataLock } from '../../src/broker/data-lock.js';
import { cleanup, tempDir } from '../support/temp.js';

interface Holder {
  pid: number;
  started: string;
  boot: string;
  processes: string;
  host: string;
}

/** Takes the lock for the test's time; what its file said. */
async function hold(directory: string): Promise<Holder> {
  const lock = await DataLock.take(directory, directory);
  cleanup(() => lock.release());
  return JSON.parse(readFileSync(join(directory, 'lock'), 'utf8')) as Holder;
}

/** What this process would write into a lock file. */
async function describeSelf(): Promise<Holder> {
  const directory = tempDir();
  const lock = await DataLock.take(directory, directory);
  const holder = JSON.parse(readFileSync(join(directory, 'lock'), 'utf8')) as Holder;
  await lock.release();
  return holder;
}

function bootId(): string {
  const path = '/proc/sys/kernel/random/boot_id';
  return existsSync(path) ? readFileSync(path, 'utf8').trim() : '';
}

/** A directory whose lock file a broker left behind that had no socket, or whose machine is another. */
function leftBehind(content: string): string {
  const directory = tempDir();
  writeFileSync(join(directory, 'lock'), content);
  return directory;
}

async function deadPid(): Promise<number> {
  const child = spawn(process.execPath, ['-e', '']);
  await once(child, 'exit');
  return child.pid!;
}

/** A process that has ended, and whose parent does not ask how, as in a container whose first process reaps none. */
async function zombie(): Promise<{ pid: number; started: string }> {
  const parent = spawn('sh', ['-c', 'sleep 0 & echo $!; exec sleep 60']);
  cleanup(() => void parent.kill());
  const [line] = (await once(parent.stdout, 'data')) as [Buffer];
  const pid = Number(line.toString());
  for (;;) {
    const [state, ...rest] = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
    if (state === 'Z') return { pid, started: rest[18]! };
    await new Promise(setImmediate);
  }
}

describe.concurrent('DataLock', () => {
  it('is held once, until it is released', async () => {
    const directory = tempDir('file');
    const lock = await DataLock.take(directory, 'the path');
    await expect(DataLock.take(directory, 'the path')).rejects.toMatchObject({
      code: 'E_LOCKED',
      message: `data path 'the path' is held by another broker (process ${process.pid})`,
    });
    expect(existsSync(join(directory, 'lock'))).toBe(true);
    await lock.release();
    expect(readdirSync(directory)).toEqual([]);
    await (await DataLock.take(directory, 'the path')).release();
  });

  it('is given to one of many that ask at once', async () => {
    const directory = tempDir('file');
    const asked = await Promise.allSettled(
      Array.from({ length: 10 }, () => DataLock.take(directory, directory)),
    );
    const got = asked.filter((it) => it.status === 'fulfilled');
    expect(got).toHaveLength(1);
    await got[0]!.value.release();
  });

  it('says so if it cannot be written', async () => {
    await expect(DataLock.take('/proc/self', '/proc/self')).rejects.toMatchObject({ code: 'E_DATA_PATH' });
  });
});

describe('a lock file', () => {
  it.each(['directory', 'link'])('says so if a %s has its name, and leaves that', async (kind) => {
    const directory = tempDir();
    const path = join(directory, 'lock');
    if (kind === 'link') symlinkSync('/nowhere', path);
    else mkdirSync(path);
    const refused = { code: 'E_DATA_PATH', message: `${path} is not a file: move it away` };
    await expect(DataLock.take(directory, directory)).rejects.toMatchObject(refused);
    expect(readdirSync(directory)).toEqual(['lock']);
  });

  it('of a process that lives is respected', async () => {
    const self = await describeSelf();
    const directory = leftBehind(JSON.stringify(self));
    await expect(DataLock.take(directory, directory)).rejects.toMatchObject({ code: 'E_LOCKED' });
  });

  it('of a process that is dead is not', async () => {
    const self = await describeSelf();
    const directory = leftBehind(JSON.stringify({ ...self, pid: await deadPid() }));
    expect(await hold(directory)).toEqual(self);
    expect(readdirSync(directory)).toEqual(['lock']);
  });

  it.runIf(process.platform === 'linux')('of a process that is dead but not buried is not', async () => {
    const directory = leftBehind(JSON.stringify({ ...(await describeSelf()), ...(await zombie()) }));
    await (await DataLock.take(directory, directory)).release();
  });

  it('of a process whose id another one has now is not', async () => {
    const self = await describeSelf();
    const directory = leftBehind(JSON.stringify({ ...self, pid: process.ppid, started: '1' }));
    expect(await hold(directory)).toEqual(self);
    const before = leftBehind(JSON.stringify({ ...self, started: '1' }));
    expect(await hold(before)).toEqual(self);
  });

  it('is judged by its process where that can be looked up, whatever the host is called now', async () => {
    const self = await describeSelf();
    const directory = leftBehind(JSON.stringify({ ...self, host: 'renamed' }));
    await expect(DataLock.take(directory, directory)).rejects.toMatchObject({ code: 'E_LOCKED' });
  });
});

describe.concurrent('a lock file that says nothing of a process here', () => {
  const other = { pid: 1, started: '5', boot: 'b', processes: 'p', host: `not-${hostname()}` };
  const machine = { ...other, host: hostname() };
  const container = { ...machine, boot: bootId() };

  it.each([
    ['of another host', other],
    ['of another machine of the same name', machine],
    ['of another container of the same name', container],
    ['of a version that did not tell containers apart', { ...container, processes: undefined }],
  ])('%s is respected while somebody renews it', async (_what, holder) => {
    const directory = tempDir('file');
    const path = join(directory, 'lock');
    writeFileSync(path, JSON.stringify(holder));
    const timer = setInterval(() => utimesSync(path, new Date(), new Date()), 50);
    try {
      await expect(DataLock.take(directory, directory)).rejects.toMatchObject({ code: 'E_LOCKED' });
    } finally {
      clearInterval(timer);
    }
  });

  it.each([
    ['of another host', JSON.stringify(other)],
    ['of this host before it was started anew', JSON.stringify(machine)],
    ['of a container that is gone', JSON.stringify(container)],
    ['that is empty', ''],
    ['that is no JSON', '{"pid":'],
    ['that is no holder', 'null'],
    ['that has no process', '{"pid":"x"}'],
  ])('%s is not, if nobody does', async (_what, content) => {
    const directory = tempDir('file');
    writeFileSync(join(directory, 'lock'), content);
    const lock = await DataLock.take(directory, directory);
    expect(JSON.parse(readFileSync(join(directory, 'lock'), 'utf8'))).toMatchObject({ pid: process.pid });
    await lock.release();
  });
});
