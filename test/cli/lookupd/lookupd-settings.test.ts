import { readFileSync } from 'node:fs';
import { parse } from 'smol-toml';
import { expect, test } from 'vitest';
import {
  DEPRECATED_LOOKUPD_SETTINGS,
  LOOKUPD_SETTINGS,
  lookupdOptions,
} from '../../../src/cli/lookupd/lookupd-settings.js';
import { resolveSettings } from '../../../src/cli/resolution.js';
import { LOOKUPD_OPTION_SPECS } from '../../../src/lookupd/index.js';
import { resolveLookupdOptions } from '../../../src/lookupd/options.js';

const SETTINGS = { ...LOOKUPD_SETTINGS, ...DEPRECATED_LOOKUPD_SETTINGS };

/** Every flag of the original nsqlookupd 1.3, but for `--config` and `--version`, which every command has. */
const ORIGINAL_FLAGS = `
  log-level log-prefix verbose tcp-address http-address broadcast-address inactive-producer-timeout
  tombstone-lifetime`
  .trim()
  .split(/\s+/);

test('every flag of nsqlookupd is there', () => {
  expect(ORIGINAL_FLAGS.filter((flag) => !(flag in SETTINGS))).toEqual([]);
});

test('every option of the lookupd is a setting, reaches it, and is checked', () => {
  const { values } = resolveSettings(SETTINGS, {}, {});
  const options = lookupdOptions(values);
  for (const { key, default: byDefault } of LOOKUPD_OPTION_SPECS) expect(options[key]).toBe(byDefault);
  expect(options).toMatchObject({
    tcpAddress: '0.0.0.0:4160',
    httpAddress: '0.0.0.0:4161',
    inactiveProducerTimeout: 300_000,
    tombstoneLifetime: 45_000,
    logPrefix: '[nsqlookupd] ',
  });
  expect(resolveLookupdOptions(options)).toEqual(options);
});

test("nsqlookupd's configuration file works as it is", () => {
  const path = new URL('nsqlookupd.toml', import.meta.url);
  const file = { path: 'nsqlookupd.toml', values: parse(readFileSync(path, 'utf8')) };
  const { values, warnings } = resolveSettings(SETTINGS, {}, {}, file);
  expect(warnings).toEqual([]);
  expect(lookupdOptions(values)).toMatchObject({
    tcpAddress: '127.0.0.1:0',
    logLevel: 'warn',
    inactiveProducerTimeout: 300_000,
  });
});

test.each(['inactive-producer-timeout', 'tombstone-lifetime'])(
  'a negative --%s is refused by its name',
  (flag) => {
    expect(() => resolveSettings(SETTINGS, { [flag]: '-1s' }, {})).toThrow(
      `invalid value for --${flag}: -1s is out of range: 0s to `,
    );
  },
);
