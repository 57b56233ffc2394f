import { describe, expect, test } from 'vitest';
import { CLUSTER_SETTINGS, clusterSource, nodeClient } from '../../../src/cli/cluster/cluster-settings.js';
import { resolveSettings } from '../../../src/cli/resolution.js';
import type { ValuesOf } from '../../../src/cli/settings.js';

type Values = ValuesOf<typeof CLUSTER_SETTINGS>;

function source(
  flags: Record<string, string[]>,
  environment = {},
  file: Record<string, unknown> = {},
): unknown {
  const { values, sources } = resolveSettings(CLUSTER_SETTINGS, flags, environment, {
    path: 'f',
    values: file,
  });
  const { nsqds, lookupds } = clusterSource(values as Values, sources);
  return { nsqds: nsqds.map(({ text }) => text), lookupds: lookupds.map(({ text }) => text) };
}

const NSQD = { 'nsqd-http-address': ['a:1', 'a:1', 'b:1'] };
const LOOKUPD = { 'lookupd-http-address': ['l:1'] };

describe('clusterSource', () => {
  test('the local broker, unless something is said', () => {
    expect(source({})).toEqual({ nsqds: ['127.0.0.1:4151'], lookupds: [] });
    expect(source(NSQD)).toEqual({ nsqds: ['a:1', 'b:1'], lookupds: [] });
    expect(source(LOOKUPD)).toEqual({ nsqds: [], lookupds: ['l:1'] });
  });

  test('a flag wins over the environment, and that over the file', () => {
    expect(source(NSQD, { NSQ_LOOKUPD_HTTP_ADDRESS: 'l:1' })).toMatchObject({ lookupds: [] });
    expect(source(LOOKUPD, { NSQ_NSQD_HTTP_ADDRESS: 'a:1' })).toMatchObject({ nsqds: [] });
    expect(source({}, { NSQ_NSQD_HTTP_ADDRESS: 'a:1' }, { lookupd_http_address: ['l:1'] })).toMatchObject({
      lookupds: [],
    });
  });

  test('not both, and not none', () => {
    expect(() => source({ ...NSQD, ...LOOKUPD })).toThrow('not both');
    expect(() => source({}, {}, { nsqd_http_address: [] })).toThrow('is needed');
  });
});

test('a certificate that cannot be read is named with its flag', async () => {
  const { values } = resolveSettings(
    CLUSTER_SETTINGS,
    { 'http-client-tls-root-ca-file': ['/nowhere/ca.pem'] },
    {},
  );
  await expect(nodeClient(values as Values)).rejects.toThrow(
    'cannot read /nowhere/ca.pem, given with --http-client-tls-root-ca-file: no such file',
  );
});
