import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startBroker } from '../../../src/broker/index.js';
import { brokerNames } from '../../../src/cli/completion/broker-names.js';
import type { CommandLine } from '../../../src/cli/completion/command-line.js';

let broker: Awaited<ReturnType<typeof startBroker>>;

beforeAll(async () => {
  broker = await startBroker({ httpAddress: '127.0.0.1:0' });
  await broker.publish('orders', 'x');
  await broker.publish('metrics', 'x');
  const create = `http://${broker.httpAddress}/channel/create?topic=orders&channel=audit`;
  await fetch(create, { method: 'POST' });
});
afterAll(async () => {
  await broker.close();
});

function line(given: Record<string, string[]>, args: string[] = []): CommandLine {
  return {
    question: { kind: 'command', before: [] },
    typed: '',
    given: new Map(Object.entries(given)),
    args,
  };
}

describe('brokerNames', () => {
  test('topics of the nsqd on the command line', async () => {
    const asked = line({ 'nsqd-http-address': [broker.httpAddress] });
    expect(await brokerNames('topic', asked, {})).toEqual(['metrics', 'orders']);
  });

  test('topics of the nsqd in the environment', async () => {
    const environment = { NSQ_NSQD_HTTP_ADDRESS: broker.httpAddress };
    expect(await brokerNames('topic', line({}), environment)).toEqual(['metrics', 'orders']);
  });

  test('of an nsqd whose TCP address is known, HTTP is asked at the next port', async () => {
    const [host, port] = broker.httpAddress.split(':');
    const asked = line({ 'nsqd-tcp-address': [`${host}:${Number(port) - 1}`] });
    expect(await brokerNames('topic', asked, {})).toEqual(['metrics', 'orders']);
  });

  test('channels of the topic given as a flag or as an argument', async () => {
    const environment = { NSQ_NSQD_HTTP_ADDRESS: broker.httpAddress };
    expect(await brokerNames('channel', line({ topic: ['orders'] }), environment)).toEqual(['audit']);
    expect(await brokerNames('channel', line({}, ['orders', 'a']), environment)).toEqual(['audit']);
    expect(await brokerNames('channel', line({}), environment)).toEqual([]);
  });

  test('nothing when nobody answers', async () => {
    expect(await brokerNames('topic', line({ 'nsqd-http-address': ['127.0.0.1:1'] }), {})).toEqual([]);
    expect(await brokerNames('topic', line({ 'nsqd-http-address': ['nowhere'] }), {})).toEqual([]);
  });
});
