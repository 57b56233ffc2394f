import { describe, expect, test } from 'vitest';
import { Consumer, Producer } from '../../src/client/index.js';
import { openBroker } from '../broker/support/brokers.js';
import { ALLOW_ALL, AuthServer } from '../support/auth-server.js';
import { cleanup } from '../support/temp.js';
import { fakeNsqd } from './support/fake-nsqd.js';

async function outcome(nsqdTcpAddress: string, authSecret?: string): Promise<unknown> {
  const producer = new Producer({ nsqdTcpAddress, authSecret, publishTimeout: 1000 });
  cleanup(() => producer.close({ timeout: 0 }));
  try {
    await producer.connect();
    return 'connected';
  } catch (error) {
    return error;
  }
}

describe('a broker that requires AUTH', () => {
  test('is given the secret, before anything else', async () => {
    const auth = await AuthServer.start();
    const broker = await openBroker({ authHttpAddresses: [auth.address] });
    const options = { authSecret: 'a secret' };
    const producer = new Producer({ nsqdTcpAddress: broker.tcpAddress, ...options });
    cleanup(() => producer.close({ timeout: 0 }));
    await producer.publish('t', 'let in');
    const consumer = new Consumer({
      topic: 't',
      channel: 'c',
      nsqdTcpAddresses: broker.tcpAddress,
      ...options,
    });
    cleanup(() => consumer.close({ timeout: 0 }));
    for await (const message of consumer) {
      expect(message.body.toString()).toBe('let in');
      message.finish();
      break;
    }
    expect(auth.calls.map(({ fields }) => fields.secret)).toEqual(['a secret', 'a secret']);
  });

  test('says so to a client without one', async () => {
    const broker = await openBroker({ authHttpAddresses: ['127.0.0.1:1'] });
    expect(await outcome(broker.tcpAddress)).toMatchObject({
      code: 'E_AUTH_REQUIRED',
      message: expect.stringContaining('authSecret'),
    });
  });

  test('may not take it', async () => {
    const auth = await AuthServer.start();
    const broker = await openBroker({ authHttpAddresses: [auth.address] });
    auth.reply = { status: 403, body: {} };
    expect(await outcome(broker.tcpAddress, 'wrong')).toMatchObject({
      name: 'BrokerError',
      code: 'E_AUTH_FAILED',
    });
    auth.reply = { body: { ttl: 10, authorizations: [] } };
    expect(await outcome(broker.tcpAddress, 'nobody')).toMatchObject({ code: 'E_UNAUTHORIZED' });
  });

  test('may not let it publish everywhere', async () => {
    const auth = await AuthServer.start();
    auth.reply = {
      body: { ...ALLOW_ALL, authorizations: [{ ...ALLOW_ALL.authorizations[0], topic: '^mine$' }] },
    };
    const broker = await openBroker({ authHttpAddresses: [auth.address] });
    const producer = new Producer({ nsqdTcpAddress: broker.tcpAddress, authSecret: 's' });
    cleanup(() => producer.close({ timeout: 0 }));
    await producer.publish('mine', 'x');
    await expect(producer.publish('yours', 'x')).rejects.toMatchObject({
      name: 'PublishError',
      code: 'E_UNAUTHORIZED',
      mayHaveArrived: false,
    });
  });
});

test('a broker that does not require it is not told the secret', async () => {
  const nsqd = await fakeNsqd({});
  expect(await outcome(nsqd.address, 'a secret')).toBe('connected');
  const peer = await nsqd.peer();
  expect(peer.commands.map(({ name }) => name)).not.toContain('AUTH');
});
