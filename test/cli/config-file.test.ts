import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readConfigFile } from '../../src/cli/config-file.js';

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'nsq-config-'));
});
afterAll(() => rm(directory, { recursive: true }));

test('top-level keys', async () => {
  const path = join(directory, 'good.toml');
  await writeFile(path, 'log_level = "debug"\nid = 5\n');
  expect(await readConfigFile(path)).toEqual({ path, values: { log_level: 'debug', id: 5 } });
});

test('a missing file is named', async () => {
  const path = join(directory, 'missing.toml');
  await expect(readConfigFile(path)).rejects.toThrow(
    `cannot read the configuration file ${path}: no such file`,
  );
});

test('what is not TOML is named with its line', async () => {
  const path = join(directory, 'bad.toml');
  await writeFile(path, 'id = 5\nlog_level: debug\n');
  await expect(readConfigFile(path)).rejects.toThrow(`the configuration file ${path}:2 is not valid TOML`);
});
