import { readFileSync } from 'node:fs';
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
    ['too little', () => connectionSettings({ connectTimeout: 0 })],
    ['too much', () => connectionSettings({ sampleRate: 100 })],
    ['-1 where nothing is switched off', () => connectionSettings({ sampleRate: -1 })],
    ['another type', () => connectionSettings({ msgTimeout: '5' as unknown as number })],
    ['text of another type', () => connectionSettings({ clientId: 5 as unknown as string })],
    ['a wrong address', () => new Producer({ nsqdTcpAddress: 'localhost' })],
    ['no address', () => new Consumer({ ...CONSUMER, nsqdTcpAddresses: [] })],
    ['a consumer without heartbeats', () => new Consumer({ ...CONSUMER, heartbeatInterval: -1 })],
  ])('refuse %s', (_what, make) => {
    expect(make).toThrow(expect.objectContaining({ name: 'OptionError', code: 'E_OPTION' }));
  });

  it('take -1 for what can be switched off', () => {
    expect(connectionSettings({ heartbeatInterval: -1, outputBufferSize: -1 })).toMatchObject({
      heartbeatInterval: -1,
      outputBufferSize: -1,
    });
  });

  it('all stand in docs/CLIENT.md', () => {
    const text = readFileSync(new URL('../../docs/CLIENT.md', import.meta.url), 'utf8');
    const all = {
      ...connectionSettings({}),
      ...producerSettings({}),
      ...consumerSettings(CONSUMER),
      ...CONSUMER,
    };
    expect(Object.keys(all).filter((name) => !text.includes(`\`${name}\``))).toEqual([]);
  });

  it('refuse names that no broker takes', () => {
    expect(() => new Consumer({ topic: 'a b', channel: 'c' })).toThrow(
      expect.objectContaining({ code: 'E_BAD_TOPIC' }),
    );
    expect(() => new Consumer({ topic: 'a', channel: '' })).toThrow(
      expect.objectContaining({ code: 'E_BAD_CHANNEL' }),
    );
  });
});
