import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { passedOptions } from '../../src/cli/passed-options.js';
import { certificates } from '../support/certificates.js';

let folder = '';
let pems: Record<'ca' | 'cert' | 'key' | 'other', string>;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'nsq-client-tls-'));
  const { ca, client, stranger } = await certificates();
  pems = { ca, ...client, other: stranger.key };
  for (const [name, pem] of Object.entries(pems)) writeFileSync(join(folder, name), pem);
});
afterAll(() => rmSync(folder, { recursive: true }));

const passed = (...given: string[]): unknown => {
  const { maxAttempts: _, ...options } = passedOptions('consumer-opt', given, {
    warn: (line) => {
      throw new Error(line);
    },
  });
  return options;
};

test("go-nsq's TLS options become one", () => {
  expect(
    passed(
      'tls_v1,true',
      `tls_root_ca_file,${folder}/ca`,
      `tls-cert,${folder}/cert`,
      `tls_key,${folder}/key`,
      'tls_min_version,tls1.3',
      'tls_insecure_skip_verify,1',
    ),
  ).toEqual({
    tls: {
      ca: pems.ca,
      cert: pems.cert,
      key: pems.key,
      minVersion: 'TLSv1.3',
      rejectUnauthorized: false,
    },
  });
});

test('a name alone switches on', () => {
  expect(passed('tls_v1')).toEqual({ tls: {} });
  expect(passed('snappy')).toEqual({ snappy: true });
  expect(passed('tls_v1', 'tls_insecure_skip_verify')).toEqual({ tls: { rejectUnauthorized: false } });
});

test('only tls_v1 switches TLS on', () => {
  expect(passed('tls_insecure_skip_verify,true', `tls_root_ca_file,${folder}/ca`)).toEqual({});
  expect(passed('tls_v1,false')).toEqual({});
});

test('compression and the secret are passed on', () => {
  expect(passed('deflate,true', 'deflate_level,9', 'auth_secret,a,b')).toEqual({
    deflate: true,
    deflateLevel: 9,
    authSecret: 'a,b',
  });
});

test.each([
  [
    ['tls_v1', 'tls_root_ca_file,/no/such/file'],
    '--consumer-opt tls_root_ca_file: cannot read /no/such/file: no such file',
  ],
  [['tls_v1', 'tls_min_version,tls2'], '"tls2" is none of ssl3.0, tls1.0'],
  [['tls_v1,maybe'], '"maybe" is neither true nor false'],
  [['tls_root_ca_file,/dev/null'], '--consumer-opt tls_root_ca_file: /dev/null is not PEM'],
  [['tls_v1', 'tls_root_ca_file,FOLDER/key'], '--consumer-opt: tls_root_ca_file holds no certificate'],
  [['tls_v1', 'tls_cert,FOLDER/cert'], 'tls_cert and --consumer-opt tls_key go together'],
  [
    ['tls_v1', 'tls_cert,FOLDER/cert', 'tls_key,FOLDER/other'],
    '--consumer-opt: tls_cert and tls_key cannot be used: ',
  ],
  [['tls_v2'], 'invalid option tls_v2'],
])('%j is refused', (given, words) => {
  expect(() => passed(...given.map((one) => one.replace('FOLDER', folder)))).toThrow(words);
});
