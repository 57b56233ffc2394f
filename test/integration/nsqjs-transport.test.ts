import { randomBytes } from 'node:crypto';
import { on, once } from 'node:events';
import nsqjs, { type Message } from 'nsqjs';
import { describe, expect, test } from 'vitest';
import type { Broker } from '../../src/broker/broker.js';
import { openBroker, statsOf } from '../broker/support/brokers.js';
import { AuthServer } from '../support/auth-server.js';
import { certificateFiles } from '../support/certificates.js';
import { cleanup } from '../support/temp.js';

type Options = NonNullable<ConstructorParameters<typeof nsqjs.Writer>[2]>;

const KINDS: readonly [string, Options][] = [
  ['TLS', { tls: true }],
  ['snappy', { snappy: true }],
  ['deflate', { deflate: true, deflateLevel: 3 }],
  ['TLS and snappy', { tls: true, snappy: true }],
  ['TLS and deflate', { tls: true, deflate: true }],
];

async function openTlsBroker(options: Parameters<typeof openBroker>[0] = {}): Promise<Broker> {
  const { cert, key } = await certificateFiles();
  return openBroker({ tlsCert: cert, tlsKey: key, ...options });
}

async function openWriter({ tcpAddress }: Broker, options: Options) {
  const { hostname, port } = new URL(`tcp://${tcpAddress}`);
  const writer = new nsqjs.Writer(hostname, Number(port), { tlsVerification: false, ...options });
  cleanup(() => writer.close());
  writer.connect();
  await once(writer, 'ready');
  return (topic: string, bodies: Buffer | readonly Buffer[]): Promise<void> =>
    new Promise((resolve, reject) =>
      writer.publish(topic, bodies, (error) => (error ? reject(error) : resolve())),
    );
}

function openReader({ tcpAddress }: Broker, topic: string, options: Options) {
  const reader = new nsqjs.Reader(topic, 'ch', {
    nsqdTCPAddresses: [tcpAddress],
    maxInFlight: 10,
    tlsVerification: false,
    ...options,
  });
  cleanup(() => reader.close());
  const messages = on(reader, 'message') as AsyncIterator<[Message]>;
  reader.connect();
  return async (): Promise<Message> => (await messages.next()).value[0];
}

describe.each(KINDS)('nsqjs over %s', (_, options) => {
  test('publishes and consumes small messages and large ones', async () => {
    const broker = await openTlsBroker();
    const publish = await openWriter(broker, options);
    const next = openReader(broker, 'topic', options);
    const bodies = ['one', 'two', 'x'.repeat(3000), 'y'.repeat(300_000)].map((it) => Buffer.from(it));
    bodies.push(randomBytes(200_000));
    for (const body of bodies) await publish('topic', body);
    await publish('topic', bodies);
    const got: Buffer[] = [];
    for (let i = 0; i < 2 * bodies.length; i++) {
      const message = await next();
      got.push(message.body);
      message.finish();
    }
    expect(got.every((body, i) => body.equals(bodies[i % bodies.length]!))).toBe(true);
    await expect.poll(() => statsOf(broker).topics![0]!.channels[0]!.depth, { interval: 10 }).toBe(0);
    const [client] = statsOf(broker).topics![0]!.channels[0]!.clients!;
    expect(client).toMatchObject({
      tls: options.tls ?? false,
      snappy: options.snappy ?? false,
      deflate: options.deflate ?? false,
    });
  });
});

test('nsqjs logs in over TLS and snappy', async () => {
  const auth = await AuthServer.start();
  const broker = await openTlsBroker({ authHttpAddresses: [auth.address], tlsRequired: 'true' });
  const options = { tls: true, snappy: true, authSecret: 'a secret' };
  const publish = await openWriter(broker, options);
  const next = openReader(broker, 'topic', options);
  await publish('topic', Buffer.from('let in'));
  const message = await next();
  message.finish();
  expect(message.body.toString()).toBe('let in');
  expect(auth.calls[0]!.fields).toEqual({
    common_name: '',
    remote_ip: '127.0.0.1',
    secret: 'a secret',
    tls: 'true',
  });
});
