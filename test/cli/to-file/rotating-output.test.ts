import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { DISK, type FileLayer } from '../../../src/cli/to-file/file-layer.js';
import { FileName } from '../../../src/cli/to-file/file-name.js';
import { type OutputOptions, RotatingOutput } from '../../../src/cli/to-file/rotating-output.js';
import { tempDir } from '../../support/temp.js';
import { recorder } from './support/logs.js';

const START = new Date(2026, 6, 8, 17).getTime();
const HOUR = 3_600_000;

interface Given extends Partial<OutputOptions> {
  readonly format?: string;
  readonly files?: FileLayer;
  readonly directory?: string;
  readonly numbered?: boolean;
}

/** An output whose clock stands still until it is moved. */
function outputOf({ format = 'f<REV>.<DATETIME>', files = DISK, directory, numbered, ...given }: Given = {}) {
  const outputDir = directory ?? tempDir();
  const options: OutputOptions = {
    outputDir,
    workDir: outputDir,
    gzipLevel: undefined,
    rotateSize: 0,
    rotateInterval: 0,
    endsLines: true,
    ...given,
  };
  const name = new FileName('t', {
    filenameFormat: format,
    datetimeFormat: '%H',
    hostIdentifier: '',
    hostname: 'h',
    pid: 1,
    gzip: options.gzipLevel !== undefined,
    revisions: numbered ?? true,
  });
  const clock = { now: START };
  const { logger, lines } = recorder();
  const host = { files, logger, now: () => clock.now, logPrefix: '' };
  const output = new RotatingOutput(name, options, host);
  const write = async (text: string): Promise<void> => {
    if (output.needsRotation()) await output.rotate();
    await output.write(Buffer.from(text));
  };
  return { output, write, clock, lines, outputDir, options };
}

/** What each file of a directory holds, unpacked. */
function contentsOf(directory: string): Record<string, string> {
  const names = readdirSync(directory, { recursive: true, withFileTypes: true }).filter((it) => it.isFile());
  return Object.fromEntries(
    names
      .map((it) => join(it.parentPath, it.name))
      .sort()
      .map((path) => {
        const bytes = readFileSync(path);
        return [path.slice(directory.length + 1), String(path.endsWith('.gz') ? gunzipSync(bytes) : bytes)];
      }),
  );
}

describe('RotatingOutput', () => {
  test('a new name starts a new file', async () => {
    const { output, write, clock, outputDir } = outputOf({ numbered: false });
    await write('a\n');
    clock.now += HOUR;
    await write('b\n');
    await output.close();
    expect(contentsOf(outputDir)).toEqual({ 'f.17': 'a\n', 'f.18': 'b\n' });
  });

  test('without numbers, what is there stays, and a torn line is ended', async () => {
    const { output, write, outputDir } = outputOf({ numbered: false });
    writeFileSync(join(outputDir, 'f.17'), 'old\nto');
    await write('new\n');
    await output.close();
    expect(contentsOf(outputDir)).toEqual({ 'f.17': 'old\nto\nnew\n' });
  });

  test('by size: the message that passes it is the last one; counted up, past files that exist', async () => {
    const { output, write, outputDir } = outputOf({ rotateSize: 5 });
    writeFileSync(join(outputDir, 'f-000001.17'), 'longer');
    for (const text of ['aa\n', 'bb\n', 'cc\n']) await write(text);
    await output.close();
    expect(contentsOf(outputDir)).toEqual({
      'f-000000.17': 'aa\nbb\n',
      'f-000001.17': 'longer',
      'f-000002.17': 'cc\n',
    });
  });

  test('by age; the count begins anew with a new name', async () => {
    const { output, write, clock, outputDir } = outputOf({ rotateInterval: 1000 });
    await write('a');
    clock.now += 1000;
    await write('b');
    clock.now += 1;
    await write('c');
    clock.now += HOUR;
    await write('d');
    await output.close();
    expect(contentsOf(outputDir)).toEqual({ 'f-000000.17': 'ab', 'f-000001.17': 'c', 'f-000000.18': 'd' });
  });

  test('closed by hand, the next file counts up', async () => {
    const { output, write, outputDir } = outputOf({ gzipLevel: 6 });
    await write('a');
    await output.close();
    await write('b');
    await output.close();
    expect(contentsOf(outputDir)).toEqual({ 'f-000000.17.gz': 'a', 'f-000001.17.gz': 'b' });
  });

  test('gzip: each sync ends a member, and a file without messages is one too', async () => {
    const { output, write, outputDir } = outputOf({ gzipLevel: 1 });
    await output.rotate();
    expect(contentsOf(outputDir)).toEqual({ 'f-000000.17.gz': '' });
    await write('a\n');
    await output.sync();
    expect(contentsOf(outputDir)).toEqual({ 'f-000000.17.gz': 'a\n' });
    await write('b\n');
    await output.close();
    expect(contentsOf(outputDir)).toEqual({ 'f-000000.17.gz': 'a\nb\n' });
  });

  test.each([{ gzipLevel: 6 }, { rotateInterval: HOUR }])(
    '%j: never into a file that exists',
    async (given) => {
      const first = outputOf(given);
      const second = outputOf({ ...given, directory: first.outputDir });
      await Promise.all([first.write('a'), second.write('b')]);
      await Promise.all([first.output.close(), second.output.close()]);
      expect(Object.values(contentsOf(first.outputDir)).sort()).toEqual(['a', 'b']);
    },
  );

  describe('with a work directory', () => {
    test('finished files move, with their directories', async () => {
      const workDir = tempDir();
      const { output, write, outputDir } = outputOf({ workDir, format: 'd/f<REV>' });
      await write('a');
      expect([contentsOf(workDir), contentsOf(outputDir)]).toEqual([{ 'd/f-000000': 'a' }, {}]);
      await output.close();
      await write('b');
      await output.close();
      expect([contentsOf(workDir), contentsOf(outputDir)]).toEqual([
        {},
        { 'd/f-000000': 'a', 'd/f-000001': 'b' },
      ]);
    });

    test('a name that is taken at the start is passed over, one that is taken later is counted up', async () => {
      const workDir = tempDir();
      const { output, write, outputDir, lines } = outputOf({ workDir, format: 'f<REV>' });
      writeFileSync(join(outputDir, 'f-000000'), 'theirs');
      await write('ours');
      writeFileSync(join(outputDir, 'f-000001'), 'late');
      await output.close();
      expect(contentsOf(outputDir)).toEqual({ 'f-000000': 'theirs', 'f-000001': 'late', 'f-000002': 'ours' });
      expect(lines.filter((line) => line.startsWith('warn'))).toHaveLength(2);
      expect(contentsOf(workDir)).toEqual({});
    });

    test('the same directory written in another way is no other one', async () => {
      const directory = tempDir();
      const { output, write } = outputOf({
        directory,
        workDir: `${directory}/.`,
        numbered: false,
        format: 'f',
      });
      await write('a');
      await output.close();
      expect(contentsOf(directory)).toEqual({ f: 'a' });
    });

    test('a file that another process has moved is no failure', async () => {
      const workDir = tempDir();
      const { output, write, lines } = outputOf({ workDir, format: 'f<REV>' });
      await write('a');
      rmSync(join(workDir, 'f-000000'));
      await output.close();
      expect(lines.at(-1)).toMatch(/^warn another process has moved or removed/);
    });
  });

  test('a directory that cannot be made is named, with what to do', async () => {
    const directory = join(tempDir(), 'file', 'd');
    mkdirSync(dirname(dirname(directory)), { recursive: true });
    writeFileSync(dirname(directory), '');
    await expect(outputOf({ directory }).output.rotate()).rejects.toMatchObject({
      code: 'E_FILE',
      message: expect.stringMatching(/^cannot create the directory .*: not a directory$/),
    });
  });

  test('a full disk: the error names the file, and what was not synced goes', async () => {
    const full: FileLayer = {
      ...DISK,
      open: async (path, exclusive) => {
        const file = await DISK.open(path, exclusive);
        let left = 100;
        return {
          ...file,
          append: async (bytes) => {
            await file.append(bytes.subarray(0, left));
            left -= bytes.length;
            if (left < 0)
              throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
          },
        };
      },
    };
    const { output, write, outputDir } = outputOf({ files: full, gzipLevel: 6 });
    await write('kept\n');
    await output.sync();
    await write(Array.from({ length: 200 }, Math.random).join('\n'));
    await expect(output.sync()).rejects.toMatchObject({
      message: `cannot write to ${join(outputDir, 'f-000000.17.gz')}: no space left on device`,
      hint: expect.stringMatching(/room/),
    });
    await output.abandon();
    expect(contentsOf(outputDir)).toEqual({ 'f-000000.17.gz': 'kept\n' });
  });
});
