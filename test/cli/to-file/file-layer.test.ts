import { mkdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { DISK } from '../../../src/cli/to-file/file-layer.js';
import { tempDir } from '../../support/temp.js';

describe('makeDirectory', () => {
  it('makes parents, and leaves what is there', async () => {
    const path = join(tempDir(), 'a', 'b', 'c');
    await Promise.all([DISK.makeDirectory(path), DISK.makeDirectory(path)]);
    await DISK.makeDirectory(path);
    expect((await stat(path)).isDirectory()).toBe(true);
  });

  it('fails below a file, and where a directory takes none', async () => {
    const path = tempDir();
    await mkdir(join(path, 'd'));
    await writeFile(join(path, 'd', 'f'), '');
    await expect(DISK.makeDirectory(join(path, 'd', 'f'))).rejects.toThrow('EEXIST');
    await expect(DISK.makeDirectory(join(path, 'd', 'f', 'g'))).rejects.toThrow('ENOTDIR');
    await expect(DISK.makeDirectory('/proc/none/of/it')).rejects.toThrow();
  });
});
