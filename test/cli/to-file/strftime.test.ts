import { afterEach, describe, expect, test, vi } from 'vitest';
import { strftime } from '../../../src/cli/to-file/strftime.js';

afterEach(() => vi.unstubAllEnvs());

/** Nothing in it is a number that Go's layouts have. */
const DATE = new Date(2026, 10, 9, 19, 38, 47, 80);

describe('strftime', () => {
  // As nsq_to_file named its files at a time like this.
  test.each([
    ['%Y-%m-%d_%H', '2026-11-09_19'],
    ['%Y%m%d%H%M%S', '20261109193847'],
    ['%y %b %B %a %A %I%p', '26 Nov November Mon Monday 07PM'],
    ['100%%', '1100%'],
    ['%j-%e-%-d%', '%j-%e-%-d%'],
    ['%%Y', '%Y'],
    ['log1', 'log11'],
    ['1_2_3_4_5', '11 9_7_38_47'],
    ['Jan_January_Janet_Mon_Monkey', 'Nov_November_Janet_Mon_Monkey'],
    ['_2_2006__2_002', ' 9_2026313_313'],
    ['0%d', '313'],
    ['%H.000x.001', '19.080x.011'],
    ['%Y.%m.%d,999', '2026.11.09,08'],
    ['pm', 'pm'],
  ])('%s', (format, expected) => {
    expect(strftime(format, DATE)).toBe(expected);
  });

  test.each([
    ['Europe/Berlin', '2026-07-01T10:00:00Z', 'CEST +0200 +02:00 +02'],
    ['Europe/Berlin', '2026-12-01T10:00:00Z', 'CET +0100 +01:00 +01'],
    ['America/New_York', '2026-12-01T10:00:00Z', 'EST -0500 -05:00 -05'],
    ['Asia/Kathmandu', '2026-12-01T10:00:00Z', '+0545 +0545 +05:45 +05'],
    ['UTC', '2026-12-01T10:00:00Z', 'UTC +0000 Z Z'],
  ])('the zone %s at %s', (zone, time, expected) => {
    vi.stubEnv('TZ', zone);
    expect(strftime('%Z %z Z07:00 Z07', new Date(time))).toBe(expected);
  });

  test('a zone that the system does not know is named as Node names it', () => {
    vi.stubEnv('TZ', 'Nowhere/Atlantis');
    expect(strftime('%Z', DATE)).toMatch(/^\S+$/);
  });
});
