import { describe, expect, it } from 'vitest';
import { Broker } from '../../src/broker/broker.js';
import { OPTION_SPECS } from '../../src/broker/option-table.js';
import { resolveOptions } from '../../src/broker/options.js';
import type { BrokerOptions, BrokerSettings } from '../../src/broker/settings.js';

/** The compiler checks that this names every setting. */
const EVERY_SETTING: Record<keyof BrokerSettings, true> = {
  tcpAddress: true,
  httpAddress: true,
  dataPath: true,
  nodeId: true,
  broadcastAddress: true,
  broadcastTcpPort: true,
  broadcastHttpPort: true,
  lookupdTcpAddresses: true,
  httpClientConnectTimeout: true,
  httpClientRequestTimeout: true,
  topologyRegion: true,
  topologyZone: true,
  experiments: true,
  durability: true,
  memQueueSize: true,
  maxBytesPerFile: true,
  maxTopicBytes: true,
  maxTopicAge: true,
  diskHighWater: true,
  onLimit: true,
  syncEvery: true,
  syncTimeout: true,
  compactionInterval: true,
  cacheSize: true,
  msgTimeout: true,
  maxMsgTimeout: true,
  maxMsgSize: true,
  maxBodySize: true,
  maxReqTimeout: true,
  queueScanRefreshInterval: true,
  e2eProcessingLatencyPercentiles: true,
  e2eProcessingLatencyWindowTime: true,
  clientTimeout: true,
  maxHeartbeatInterval: true,
  maxRdyCount: true,
  maxOutputBufferSize: true,
  maxOutputBufferTimeout: true,
  minOutputBufferTimeout: true,
  outputBufferTimeout: true,
  maxChannelConsumers: true,
  deflate: true,
  maxDeflateLevel: true,
  snappy: true,
  httpsAddress: true,
  tlsCert: true,
  tlsKey: true,
  tlsRootCaFile: true,
  tlsClientAuthPolicy: true,
  tlsRequired: true,
  tlsMinVersion: true,
  authHttpAddresses: true,
  authHttpRequestMethod: true,
  statsdAddress: true,
  statsdInterval: true,
  statsdMemStats: true,
  statsdPrefix: true,
  statsdUdpPacketSize: true,
  statsdExcludeEphemeral: true,
  logLevel: true,
  logPrefix: true,
};

const failure = (options: object): unknown => {
  try {
    resolveOptions(options as BrokerOptions);
    return undefined;
  } catch (error) {
    return error;
  }
};

describe('the options table', () => {
  it('has a row for every setting, once', () => {
    expect(OPTION_SPECS.map(({ key }) => key).sort()).toEqual(Object.keys(EVERY_SETTING).sort());
    for (const name of ['flag', 'key'] as const) {
      expect(new Set(OPTION_SPECS.map((spec) => spec[name])).size).toBe(OPTION_SPECS.length);
    }
  });

  it('has defaults that are in range', () => {
    const daemon = Object.fromEntries(OPTION_SPECS.map((spec) => [spec.key, spec.default]));
    expect(failure({ ...daemon, dataPath: '' })).toBeUndefined();
    expect(failure({})).toBeUndefined();
  });

  it.each(
    OPTION_SPECS.filter(
      ({ kind }) => !['string', 'strings', 'fractions', 'boolean', 'choice'].includes(kind),
    ).map((spec) => [spec.key, spec] as const),
  )(
    'refuses %s out of its range, or that is no number',
    (key, { min = 0, max = Number.MAX_SAFE_INTEGER, kind }) => {
      expect(resolveOptions({ [key]: min })[key]).toBe(min);
      expect(resolveOptions({ [key]: max })[key]).toBe(max);
      const bad = [min - 1, max + 1, Number.NaN, Number.POSITIVE_INFINITY, '5', null, {}];
      if (kind !== 'duration') bad.push(min + 0.5);
      for (const value of bad) {
        if (value === null) continue;
        const error = failure({ [key]: value });
        expect(error).toMatchObject({ name: 'BrokerError', code: 'E_OPTION' });
        expect(String(error)).toContain(`${key} must be a number from ${min} to ${max}`);
      }
    },
  );

  it.each([
    ['durability', 'sometimes', "durability must be one of os, fsync, memory, not 'sometimes'"],
    ['logLevel', 'loud', "logLevel must be one of debug, info, warn, error, fatal, not 'loud'"],
    ['tcpAddress', 4150, 'tcpAddress must be a text'],
    ['dataPath', 5, 'dataPath must be a text'],
    ['lookupdTcpAddresses', 'a:1', 'lookupdTcpAddresses must be a list of texts'],
    ['tcpAdress', '127.0.0.1:0', 'there is no option tcpAdress'],
  ])('refuses %s: %s', (key, value, words) => {
    expect(failure({ [key]: value })).toMatchObject({ code: 'E_OPTION', message: words });
    expect(() => new Broker({ [key]: value })).toThrow(words);
  });

  it.each([[[0.99, 0]], [[1.01]], [[-0.5]], [[99]], [[Number.NaN]], [['0.5']], [0.5]])(
    'refuses percentiles that are none: %j',
    (value) => {
      const option = { e2eProcessingLatencyPercentiles: value } as BrokerOptions;
      const message = `e2eProcessingLatencyPercentiles must be a list of numbers above 0 and up to 1, not ${value}`;
      expect(failure(option)).toMatchObject({ code: 'E_OPTION', message });
    },
  );

  it('takes undefined for an option that is not given', () => {
    expect(resolveOptions({ msgTimeout: undefined, tcpAddress: undefined })).toEqual(resolveOptions({}));
  });

  it('listens on loopback only, unless told otherwise, when it is embedded', () => {
    expect(resolveOptions({})).toMatchObject({
      tcpAddress: '127.0.0.1:0',
      httpAddress: '127.0.0.1:0',
      dataPath: '',
    });
  });

  it('has a node id of this host within its range', () => {
    const { nodeId } = resolveOptions({});
    expect([nodeId >= 0, nodeId < 1024, nodeId]).toEqual([true, true, resolveOptions({}).nodeId]);
  });
});
