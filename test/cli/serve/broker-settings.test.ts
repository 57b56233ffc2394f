import { readFileSync } from 'node:fs';
import { parse } from 'smol-toml';
import { describe, expect, test } from 'vitest';
import { OPTION_SPECS } from '../../../src/broker/option-table.js';
import { resolveSettings } from '../../../src/cli/resolution.js';
import { BROKER_SETTINGS, brokerOptions } from '../../../src/cli/serve/broker-settings.js';
import { deprecationWarnings, IGNORED_SETTINGS } from '../../../src/cli/serve/ignored-settings.js';

const SETTINGS = { ...BROKER_SETTINGS, ...IGNORED_SETTINGS };

/** Every flag of the original nsqd 1.3, but for `--config` and `--version`, which every command has. */
const ORIGINAL_FLAGS = `
  log-level log-prefix verbose node-id worker-id https-address http-address tcp-address auth-http-address
  auth-http-request-method broadcast-address broadcast-tcp-port broadcast-http-port lookupd-tcp-address
  http-client-connect-timeout http-client-request-timeout topology-region topology-zone data-path mem-queue-size
  max-bytes-per-file sync-every sync-timeout queue-scan-worker-pool-max queue-scan-selection-count msg-timeout
  max-msg-timeout max-msg-size max-req-timeout max-body-size max-heartbeat-interval max-rdy-count
  max-output-buffer-size max-output-buffer-timeout min-output-buffer-timeout output-buffer-timeout
  max-channel-consumers statsd-address statsd-interval statsd-mem-stats statsd-prefix statsd-udp-packet-size
  statsd-exclude-ephemeral e2e-processing-latency-percentile e2e-processing-latency-window-time tls-cert tls-key
  tls-client-auth-policy tls-root-ca-file tls-required tls-min-version deflate max-deflate-level snappy
  enable-experiment`
  .trim()
  .split(/\s+/);

test('every flag of nsqd is there', () => {
  expect(ORIGINAL_FLAGS.filter((flag) => !(flag in SETTINGS))).toEqual([]);
});

test('every option of the broker is a setting, and reaches it', () => {
  const { values } = resolveSettings(SETTINGS, {}, {});
  const options = brokerOptions(values);
  for (const { key, default: byDefault } of OPTION_SPECS) {
    expect(options[key]).toBe(key === 'dataPath' ? process.cwd() : byDefault);
  }
});

test('a high water mark that is none is refused by the name of the flag or variable', () => {
  const why = "must be a percentage below 100 (90%) or a number of bytes that must stay free, not '1GB'";
  expect(() => resolveSettings(SETTINGS, { 'disk-high-water': '1GB' }, {})).toThrow(
    `invalid value for --disk-high-water: ${why}`,
  );
  expect(() => resolveSettings(SETTINGS, {}, { NSQ_DISK_HIGH_WATER: '1GB' })).toThrow(
    `invalid value for NSQ_DISK_HIGH_WATER: ${why}`,
  );
});

test('a statsd address that is none is refused', () => {
  expect(() => resolveSettings(SETTINGS, { 'statsd-address': ['localhost'] }, {})).toThrow(
    "invalid value for --statsd-address: must be <host>:<port>, not 'localhost'",
  );
});

test('no setting both has an effect and is said to have none', () => {
  expect(OPTION_SPECS.map(({ flag }) => flag).filter((flag) => flag in IGNORED_SETTINGS)).toEqual([]);
});

describe("nsqd's configuration file", () => {
  const path = new URL('nsqd.toml', import.meta.url);
  const file = { path: 'nsqd.toml', values: parse(readFileSync(path, 'utf8')) };
  const { values, warnings } = resolveSettings(SETTINGS, {}, {}, file);

  test('has no unknown key', () => {
    expect(warnings).toEqual([]);
  });

  test('reaches the broker', () => {
    expect(brokerOptions(values)).toMatchObject({
      nodeId: 515,
      tcpAddress: '127.0.0.1:0',
      httpAddress: '127.0.0.1:0',
      memQueueSize: 10_000,
      syncTimeout: 2000,
      msgTimeout: 60_000,
      maxMsgSize: 1_024_768,
      maxReqTimeout: 3_600_000,
      maxOutputBufferTimeout: 1000,
      logLevel: 'info',
      lookupdTcpAddresses: ['127.0.0.1:4160'],
      statsdPrefix: 'nsq.%s',
      statsdInterval: 60_000,
      statsdMemStats: true,
      e2eProcessingLatencyPercentiles: [1, 0.99, 0.95],
      e2eProcessingLatencyWindowTime: 600_000,
    });
  });
});

describe('deprecationWarnings', () => {
  const warningsFor = (flags: Record<string, string[] | boolean>): string[] => {
    const { values, sources } = resolveSettings(SETTINGS, flags, {});
    return deprecationWarnings(values, sources);
  };

  test.each([
    ['nothing asked', {}, []],
    ['turned off', { verbose: false, 'worker-id': false }, []],
    ['a deprecated flag', { verbose: true }, ['--verbose is deprecated: use --log-level']],
  ])('%s', (_, flags, expected) => {
    expect(warningsFor(flags)).toEqual(expected);
  });
});

describe('--enable-experiment', () => {
  const experiments = (flags: Record<string, string[]>, toml: Record<string, unknown> = {}): unknown =>
    brokerOptions(resolveSettings(SETTINGS, flags, {}, { path: 'nsqd.cfg', values: toml }).values)
      .experiments;

  test.each([
    ['not given', {}, {}, []],
    ['given twice', { 'enable-experiment': ['a', 'b'] }, {}, ['a', 'b']],
    ['with a comma', { 'enable-experiment': ['a,b'] }, {}, ['a', 'b']],
    ['in a file', {}, { enable_experiment: ['a', 'b'] }, ['a', 'b']],
    ['in a file, as a text', {}, { enable_experiment: 'a,b' }, ['a', 'b']],
    ['in both', { 'enable-experiment': ['b'] }, { enable_experiment: ['a'] }, ['b']],
  ])('%s', (_, flags, toml, expected) => {
    expect(experiments(flags, toml)).toEqual(expected);
  });
});

describe('--e2e-processing-latency-percentile', () => {
  const FLAG = 'e2e-processing-latency-percentile';
  const fromFlags = (...texts: string[]): unknown =>
    resolveSettings(SETTINGS, { [FLAG]: texts }, {}).values[FLAG];
  const fromFile = (text: string): unknown => {
    const file = { path: 'f', values: parse(`e2e_processing_latency_percentiles = ${text}`) };
    return resolveSettings(SETTINGS, {}, {}, file).values[FLAG];
  };

  test('flags are put in order, the largest first, and nothing that is given twice is left out', () => {
    expect(fromFlags('0.9,0.99', '1,.95,0.95', '5e-1', '+0.25')).toEqual([
      1, 0.99, 0.95, 0.95, 0.9, 0.5, 0.25,
    ]);
  });

  test('a file keeps its order', () => {
    expect(fromFile('[0.5, 1.0, 0.95]')).toEqual([0.5, 1, 0.95]);
    expect(fromFile('[1, 0.5]')).toEqual([1, 0.5]);
    expect(fromFile('"0.5,0.95"')).toEqual([0.5, 0.95]);
    expect(fromFile('0.5')).toEqual([0.5]);
    expect(fromFile('[]')).toEqual([]);
  });

  test('so does the environment', () => {
    const variable = { NSQ_E2E_PROCESSING_LATENCY_PERCENTILE: '0.5,1' };
    expect(resolveSettings(SETTINGS, {}, variable).values[FLAG]).toEqual([0.5, 1]);
  });

  test.each(['0', '-0.5', '1.1', '100', 'abc', '', '0.99,,0.5', '0.99, 0.5', 'nan', 'inf', '1e-400', '0.5x'])(
    '"%s" is none',
    (text) => {
      const item = text.split(',').find((it) => !(Number(it) > 0 && Number(it) <= 1) || it.startsWith(' '));
      expect(() => fromFlags(text)).toThrow(
        `invalid value for --${FLAG}: "${item}" is not a number above 0 and up to 1`,
      );
    },
  );

  test('a percentage is told what it is as a fraction', () => {
    expect(() => fromFlags('99.9')).toThrow('"99.9" is not a number above 0 and up to 1; 99.9 % is 0.999');
    expect(() => fromFile('[95]')).toThrow('"95" is not a number above 0 and up to 1; 95 % is 0.95');
  });

  test('a window must be some time', () => {
    for (const text of ['0', '-5s']) {
      expect(() => resolveSettings(SETTINGS, { 'e2e-processing-latency-window-time': [text] }, {})).toThrow(
        'out of range: 1ms to',
      );
    }
  });
});

describe("Go's words for --tls-required", () => {
  const required = (flags: Record<string, string[] | boolean>): unknown =>
    brokerOptions(resolveSettings(SETTINGS, flags, {}).values).tlsRequired;

  test.each(['true', 'false', 'tcp-https', '1', '0', 't', 'f'])('%s', (word) => {
    expect(required({ 'tls-required': [word] })).toBe(word);
    expect(required({ 'tls-required': [word.toUpperCase()] })).toBe(word);
  });

  test('another one is refused', () => {
    expect(() => required({ 'tls-required': ['maybe'] })).toThrow('"maybe" is none of');
  });
});
