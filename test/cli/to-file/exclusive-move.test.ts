import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { link } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { moveExclusively } from '../../../src/cli/to-file/exclusive-move.js';
import { tempDir } from '../../support/temp.js';

vi.mock('node:fs/promises', async (original) => {
  const real = await original<typeof import('node:fs/promises')>();
  return { ...real, link: vi.fn(real.link) };
});

let from: string;
let to: string;
beforeEach(() => {
  vi.mocked(link).mockClear();
  const [source, target] = [tempDir(), tempDir()];
  [from, to] = [join(source, 'f'), join(target, 'f')];
  writeFileSync(from, 'content');
});

const failing = (code: string) => async () => {
  throw Object.assign(new Error(code), { code });
};

/** How a file system refuses links: between two of them, or at all. */
const SYSTEMS: Record<string, () => void> = {
  'one file system': () => {},
  'another file system': () => vi.mocked(link).mockImplementationOnce(failing('EXDEV')),
  'one without links': () => vi.mocked(link).mockImplementationOnce(failing('EPERM')),
  'another one without links': () =>
    vi.mocked(link).mockImplementationOnce(failing('EXDEV')).mockImplementationOnce(failing('EPERM')),
};

describe.each(Object.entries(SYSTEMS))('moving to %s', (_, arrange) => {
  test('moves', async () => {
    arrange();
    await moveExclusively(from, to);
    expect([existsSync(from), readFileSync(to, 'utf8')]).toEqual([false, 'content']);
    expect(readdirSync(join(to, '..'))).toEqual(['f']);
  });

  test('never over a file, and leaves nothing behind', async () => {
    writeFileSync(to, 'theirs');
    arrange();
    await expect(moveExclusively(from, to)).rejects.toMatchObject({ code: 'EEXIST' });
    expect([readFileSync(from, 'utf8'), readFileSync(to, 'utf8')]).toEqual(['content', 'theirs']);
    expect(readdirSync(join(to, '..'))).toEqual(['f']);
  });
});
