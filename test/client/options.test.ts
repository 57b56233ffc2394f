import { hostname } from 'node:os';
import { describe, expect, it } from 'vitest';
import { Consumer, Producer } from '../../src/client/index.js';
import {
  closeTimeout,
  connectionSettings,
  consumerSettings,
  producerSettings,
} from '../../src/client/options.js';

const CONSUMER = { topic: 't', channel: 'c' };

describe('options', () => {
  it('have the defaults of go-nsq where it has them', () => {
    expect(connectionSettings({})).toMatchObject({
      connectTimeout: 1000,
      heartbeatInterval: 30_000,
      outputBufferSize: 16_384,
      outputBufferTimeout: 250,
      readTimeout: 60_000,
      writeTimeout: 1000,
      localAddress: '',
      deflateLevel: 6,
      sampleRate: 0,
      msgTimeout: 0,
      hostname: hostname(),
      clientId: hostname().split('.')[0],
      userAgent: expect.stringMatching(/^nsq-js\/\d+\.\d+\.\d+/),
    });
    expect(consumerSettings(CONSUMER)).toMatchObject({
      maxInFlight: 1,
      requeueDelay: 90_000,
      maxRequeueDelay: 900_000,
      lowRdyIdleTimeout: 10_000,
      lowRdyTimeout: 30_000,
      rdyRedistributeInterval: 5000,
      maxAttempts: 5,
      backoffStrategy: 'exponential',
      backoffMultiplier: 1000,
      maxBackoffDuration: 120_000,
      lookupdPollInterval: 60_000,
      lookupdPollJitter: 0.3,
      lookupdPollTimeout: 60_000,
      lookupdAuthorization: true,
    });
    expect(producerSettings({})).toMatchObject({ publishTimeout: 30_000 });
    expect(closeTimeout({})).toBe(30_000);
  });

  it('take undefined for the default', () => {
    expect(connectionSettings({ heartbeatInterval: undefined, clientId: undefined })).toEqual(
      connectionSettings({}),
    );
  });

  it.each([
    ['a fraction', () => connectionSettings({ connectTimeout: 1.5 })],
    ['too little', () => connectionSettings({ handshakeTimeout: 0 })],
    ['too much', () => connectionSettings({ sampleRate: 100 })],
    ['-1 where nothing is switched off', () => connectionSettings({ sampleRate: -1 })],
    ['another type', () => connectionSettings({ msgTimeout: '5' as unknown as number })],
    ['text of another type', () => connectionSettings({ clientId: 5 as unknown as string })],
    ['an option that there is not', () => new Producer({ compress: true } as object)],
    ['something in place of options', () => new Producer('localhost:4150' as unknown as object)],
    ['null in place of options', () => new Producer(null as unknown as object)],
    ['no options of a consumer', () => new Consumer(undefined as unknown as typeof CONSUMER)],
    ['a port for an address', () => new Producer({ nsqdTcpAddress: 4150 as unknown as string })],
    ['an address that is not set', () => new Producer({ nsqdTcpAddress: [undefined as unknown as string] })],
    ['a URL for an address', () => new Producer({ nsqdTcpAddress: 'tcp://localhost:4150' })],
    ['a port for a lookupd', () => new Producer({ lookupdHttpAddresses: 4161 as unknown as string })],
    [
      'a lookupd that is not set',
      () => new Producer({ lookupdHttpAddresses: [undefined as unknown as string] }),
    ],
    ['a wrong address', () => new Producer({ nsqdTcpAddress: 'localhost' })],
    ['no address', () => new Consumer({ ...CONSUMER, nsqdTcpAddresses: [] })],
    ['a read time-out below the heartbeats', () => connectionSettings({ readTimeout: 29_999 })],
    ['heartbeats beyond the read time-out', () => connectionSettings({ heartbeatInterval: 60_001 })],
    ['a local address that is none', () => connectionSettings({ localAddress: 'here' })],
    [
      'a strategy that is none',
      () => consumerSettings({ ...CONSUMER, backoffStrategy: 'linear' as 'exponential' }),
    ],
    ['something for a boolean', () => consumerSettings({ ...CONSUMER, autoTouch: 1 as unknown as boolean })],
    ['two ways to give up', () => consumerSettings({ ...CONSUMER, deadLetterTopic: 'd', onGiveUp: () => 0 })],
    [
      'a hook that is no function',
      () => consumerSettings({ ...CONSUMER, onGiveUp: 'x' as unknown as () => 0 }),
    ],
    ['its own topic for dead letters', () => new Consumer({ ...CONSUMER, deadLetterTopic: 't' })],
    ['a consumer without heartbeats', () => new Consumer({ ...CONSUMER, heartbeatInterval: -1 })],
  ])('refuse %s', (_what, make) => {
    expect(make).toThrow(expect.objectContaining({ name: 'OptionError', code: 'E_OPTION' }));
  });

  it.each([
    ['nsqdTCPAddresses', 'nsqdTcpAddresses'],
    ['nsqdTcpAddress', 'nsqdTcpAddresses'],
    ['lookupd_http_addresses', 'lookupdHttpAddresses'],
    ['max_in_flight', 'maxInFlight'],
  ])('say what %s is called here', (given, name) => {
    expect(() => new Consumer({ ...CONSUMER, [given]: 'x' })).toThrow(
      `there is no option ${given}: it is ${name}`,
    );
  });

  it('wait twice the heartbeat interval for a sign of life, unless told', () => {
    expect(connectionSettings({ heartbeatInterval: 5000 }).readTimeout).toBe(10_000);
    expect(connectionSettings({ heartbeatInterval: 5000, readTimeout: 5000 }).readTimeout).toBe(5000);
    expect(connectionSettings({ heartbeatInterval: 90_000, readTimeout: 100_000 }).readTimeout).toBe(100_000);
    expect(connectionSettings({ heartbeatInterval: -1 }).readTimeout).toBe(0);
  });

  it('take -1 for what can be switched off', () => {
    expect(connectionSettings({ heartbeatInterval: -1, outputBufferSize: -1 })).toMatchObject({
      heartbeatInterval: -1,
      outputBufferSize: -1,
    });
  });

  it('refuse names that no broker takes', () => {
    expect(() => new Consumer({ topic: 'a b', channel: 'c' })).toThrow(
      expect.objectContaining({ code: 'E_BAD_TOPIC' }),
    );
    expect(() => new Consumer({} as typeof CONSUMER)).toThrow(
      expect.objectContaining({ code: 'E_BAD_TOPIC', message: 'topic name undefined is not valid' }),
    );
    expect(() => new Consumer({ topic: 'a', channel: '' })).toThrow(
      expect.objectContaining({ code: 'E_BAD_CHANNEL' }),
    );
  });
});
