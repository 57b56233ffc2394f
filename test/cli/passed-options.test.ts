import { describe, expect, test } from 'vitest';
import { passedOptions } from '../../src/cli/passed-options.js';
import { Consumer } from '../../src/client/consumer.js';

const silent = { warn: () => {} };
const consumerOpt = (...given: string[]): unknown => passedOptions('consumer-opt', given, silent);

/** Every option of go-nsq 1.1.0's Config that can be given as text, with a value, and what becomes of it here. */
const GO_NSQ: readonly (readonly [given: string, option: string, value: unknown])[] = [
  ['dial_timeout,2s', 'connectTimeout', 2000],
  ['read_timeout,2m', 'readTimeout', 120_000],
  ['write_timeout,1.5s', 'writeTimeout', 1500],
  ['local_addr,127.0.0.1:0', 'localAddress', '127.0.0.1:0'],
  ['lookupd_poll_interval,30s', 'lookupdPollInterval', 30_000],
  ['lookupd_poll_jitter,0.25', 'lookupdPollJitter', 0.25],
  ['lookupd_poll_timeout,10s', 'lookupdPollTimeout', 10_000],
  ['max_requeue_delay,60m', 'maxRequeueDelay', 3_600_000],
  ['default_requeue_delay,0', 'requeueDelay', 0],
  ['backoff_strategy,full_jitter', 'backoffStrategy', 'full_jitter'],
  ['max_backoff_duration,0s', 'maxBackoffDuration', 0],
  ['backoff_multiplier,500ms', 'backoffMultiplier', 500],
  ['max_attempts,65535', 'maxAttempts', 65_535],
  ['low_rdy_idle_timeout,1s', 'lowRdyIdleTimeout', 1000],
  ['low_rdy_timeout,5m', 'lowRdyTimeout', 300_000],
  ['rdy_redistribute_interval,1ms', 'rdyRedistributeInterval', 1],
  ['client_id,a,b', 'clientId', 'a,b'],
  ['hostname,h', 'hostname', 'h'],
  ['user_agent,u/1', 'userAgent', 'u/1'],
  ['heartbeat_interval,5s', 'heartbeatInterval', 5000],
  ['sample_rate,99', 'sampleRate', 99],
  ['deflate,1', 'deflate', true],
  ['deflate_level,9', 'deflateLevel', 9],
  ['snappy,T', 'snappy', true],
  ['output_buffer_size,-1', 'outputBufferSize', -1],
  ['output_buffer_timeout,25ms', 'outputBufferTimeout', 25],
  ['max_in_flight,500', 'maxInFlight', 500],
  ['msg_timeout,1m30s', 'msgTimeout', 90_000],
  ['auth_secret,s', 'authSecret', 's'],
  ['skip_lookupd_authorization,false', 'lookupdAuthorization', false],
  ['lookupd_authorization,false', 'lookupdAuthorization', false],
];

test.each(GO_NSQ)('%s becomes %s', (given, option, value) => {
  expect(consumerOpt(given)).toMatchObject({ [option]: value });
  const dashed = given.replace(/^[a-z_]+/, (name) => name.replaceAll('_', '-'));
  const options = passedOptions('consumer-opt', [dashed], silent);
  expect(new Consumer({ topic: 't', channel: 'c', ...options }).topic).toBe('t');
});

test.each(GO_NSQ)('a producer takes %s as well', (given) => {
  expect(() => passedOptions('producer-opt', [given], silent)).not.toThrow();
});

test('ours have names of that kind too', () => {
  expect(consumerOpt('auto_touch', 'dead-letter-topic,dead', 'max_attempts,3')).toEqual({
    autoTouch: true,
    deadLetterTopic: 'dead',
    maxAttempts: 3,
  });
});

test('what concerns the other side only is checked, and said to have no effect', () => {
  const warnings: string[] = [];
  const terminal = { warn: (line: string) => warnings.push(line) };
  expect(passedOptions('producer-opt', ['max_in_flight,5'], terminal)).toEqual({});
  expect(warnings).toEqual(['--producer-opt max_in_flight has no effect on a producer']);
  expect(() => passedOptions('producer-opt', ['max_in_flight,x'], terminal)).toThrow('not a whole number');
});

test('a command gives no message up unless it is told to', () => {
  expect(consumerOpt()).toEqual({ maxAttempts: 0 });
  expect(passedOptions('producer-opt', [], silent)).toEqual({});
});

describe('refused is', () => {
  test.each([
    ['max_inflight,5', '--consumer-opt: invalid option max_inflight'],
    ['topic,x', 'invalid option topic'],
    ['on_give_up,x', 'invalid option on_give_up'],
    [',5', 'invalid option '],
    ['max_in_flight,x', 'invalid value for --consumer-opt max_in_flight: "x" is not a whole number'],
    ['max_in_flight', 'invalid value for --consumer-opt max_in_flight: none is given'],
    ['max_in_flight,-1', '-1 is out of range'],
    ['sample_rate,100', '100 is out of range: 0 to 99'],
    ['max_attempts,65536', '65536 is out of range: 0 to 65535'],
    ['max_backoff_duration,61m', '1h1m0s is out of range: 0s to 1h0m0s'],
    ['backoff_multiplier,-1s', '-1s is out of range'],
    ['lookupd_poll_jitter,1.5', '1.5 is out of range: 0 to 1'],
    ['lookupd_poll_jitter,half', '"half" is not a number'],
    ['lookupd_poll_interval,1ms', 'out of range: 10ms to 5m0s'],
    ['low_rdy_idle_timeout,999ms', 'out of range: 1s to 5m0s'],
    ['rdy_redistribute_interval,6s', 'out of range: 1ms to 5s'],
    ['read_timeout,10ms', 'out of range: 100ms to 5m0s'],
    ['read_timeout,1000', 'a unit is missing'],
    ['heartbeat_interval,2m', 'heartbeat_interval (120000) must not be more than read_timeout (60000)'],
    ['heartbeat_interval,-1ms', 'heartbeat_interval cannot be -1 for a consumer'],
    ['backoff_strategy,linear', '"linear" is none of exponential, full_jitter'],
    ['snappy,maybe', '"maybe" is neither true nor false'],
    ['local_addr,nowhere', 'local_addr "nowhere" is not IP:port'],
    ['client_id', 'none is given'],
  ])('%s', (given, words) => {
    expect(() => consumerOpt(given)).toThrow(
      expect.objectContaining({ name: 'UsageError', message: expect.stringContaining(words) }),
    );
  });

  test('what excludes each other', () => {
    expect(() => consumerOpt('snappy', 'deflate')).toThrow('snappy and deflate exclude each other');
  });

  test('with the name that was meant', () => {
    expect(() => consumerOpt('max_inflight,5')).toThrow(
      expect.objectContaining({ hint: 'Did you mean max_in_flight?' }),
    );
  });
});
