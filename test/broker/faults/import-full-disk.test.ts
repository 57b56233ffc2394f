import { readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type Files, REAL_FILES } from '../../../src/broker/log/files.js';
import { SILENT } from '../../../src/broker/logger.js';
import { resolveOptions } from '../../../src/broker/options.js';
import { Store } from '../../../src/broker/store.js';
import { contentOf, importFrom, newData } from '../takeover/support/imports.js';
import { messages, type NsqdData } from '../takeover/support/nsqd-data.js';

function nsqdData(): NsqdData {
  return newData()
    .metadata({ t: ['a', 'b!'], 'u!': ['x'] })
    .queue('t:a', [...messages(2, 40), { id: 0, attempts: 3 }], { maxBytesPerFile: 200, read: 1 })
    .queue('t:b', messages(5, 45))
    .queue('t', messages(45, 60))
    .queue('u:x', messages(0, 2));
}

/** A disk that is full after so many writes; how many were made shows in `writes`. */
class FillingFiles {
  writes = 0;
  readonly files: Files;

  constructor(room: number) {
    const count = (): void => {
      if (++this.writes <= room) return;
      throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
    };
    this.files = {
      ...REAL_FILES,
      writeSync: (...call) => {
        count();
        return REAL_FILES.writeSync(...call);
      },
      write: (fd, buf, offset, length, position, done) => {
        try {
          count();
        } catch (error) {
          setImmediate(done, error as Error, 0);
          return;
        }
        REAL_FILES.write(fd, buf, offset, length, position, done);
      },
      mkdirSync: (path) => {
        if (this.writes >= room && !path.endsWith('topics')) count();
        REAL_FILES.mkdirSync(path);
      },
    };
  }
}

async function importOn({ path }: NsqdData, files: Files): Promise<unknown> {
  const store = new Store(resolveOptions({ dataPath: path, maxBytesPerFile: 300 }), SILENT, files);
  await store.open();
  try {
    await store.takeOver();
    return undefined;
  } catch (error) {
    return error;
  } finally {
    await store.close();
  }
}

/** The content of each of nsqd's files, wherever it is now. */
function filesOf({ path }: NsqdData): Map<string, string> {
  const found = new Map<string, string>();
  for (const name of readdirSync(path, { recursive: true, encoding: 'utf8' })) {
    if (name.startsWith('nsq-data') || !statSync(join(path, name)).isFile()) continue;
    found.set(name.replace(/^nsqd-imported-[^/]*\//, ''), readFileSync(join(path, name), 'latin1'));
  }
  return found;
}

test('a disk that is full at any time of an import: nothing of nsqd changes, the second try has each message once', async () => {
  const whole = nsqdData();
  const counting = new FillingFiles(Number.POSITIVE_INFINITY);
  expect(await importOn(whole, counting.files)).toBeUndefined();
  const expected = await contentOf(whole);
  expect(counting.writes).toBeGreaterThan(10);
  for (let room = 0; room < counting.writes; room++) {
    const data = nsqdData();
    const before = filesOf(data);
    const error = await importOn(data, new FillingFiles(room).files);
    const at = `full after ${room} writes`;
    expect(error, at).toMatchObject({ code: 'E_STORAGE', message: expect.stringContaining('ENOSPC') });
    expect(filesOf(data), at).toEqual(before);
    expect(readdirSync(join(data.path, 'nsq-data', 'topics')).join(), at).not.toContain('importing');
    const { report } = await importFrom(data);
    expect(
      report.topics.map(({ outcome }) => outcome),
      at,
    ).toEqual(['imported', 'imported']);
    expect(await contentOf(data), at).toEqual(expected);
    rmSync(data.path, { recursive: true });
  }
});
