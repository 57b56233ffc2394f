import { expect, it } from 'vitest';
import { consume, numbered, stop, subscribe, take } from '../broker/support/clients.js';
import { Daemon } from '../support/daemon.js';
import { RawClient } from '../support/raw-client.js';
import { mpubBody, sized } from '../support/wire.js';

const post = async ({ httpAddress }: Daemon, path: string): Promise<void> => {
  expect((await fetch(`http://${httpAddress}${path}`, { method: 'POST' })).status).toBe(200);
};

it('a broker that was killed finds messages, channels, pauses and positions, and loses no OK', async () => {
  const first = await Daemon.start();
  await post(first, '/topic/create?topic=t');
  await post(first, '/channel/create?topic=t&channel=c');
  await post(first, '/channel/create?topic=t&channel=paused');
  await post(first, '/channel/pause?topic=t&channel=paused');
  const publisher = await RawClient.connect(first.tcpAddress);
  await publisher.request('MPUB t\n', mpubBody(numbered(20)));
  const client = await subscribe(first, 't', 'c', { ready: 5 });
  expect(await consume(client, 10)).toEqual(numbered(20).slice(0, 10));
  await stop(client);
  await publisher.request('DPUB t 600000\n', sized('later'));
  await publisher.request('PUB t\n', sized('last'));
  await first.kill();

  const second = await Daemon.start({ dataPath: first.dataPath });
  const response = await fetch(`http://${second.httpAddress}/stats?format=json`);
  const stats = (await response.json()) as { topics: { channels: unknown[] }[] };
  expect(stats.topics).toHaveLength(1);
  expect(stats.topics[0]!.channels).toMatchObject([
    { channel_name: 'c', depth: 11, deferred_count: 1, in_flight_count: 0, paused: false },
    { channel_name: 'paused', depth: 21, deferred_count: 1, in_flight_count: 0, paused: true },
  ]);
  const next = await subscribe(second, 't', 'c', { ready: 20 });
  const bodies = (await take(next, 11)).map(({ body }) => body.toString());
  expect(bodies.sort()).toEqual([...numbered(20).slice(10), 'last'].sort());
  expect(await second.stop()).toBe(0);
});
