import { beforeAll, describe, expect, it } from 'vitest';
import { bodies, Cluster } from './support/cluster.js';
import { recovered } from './support/figures.js';
import { BrokerNode } from './support/nodes.js';

let cluster: Cluster;
let lookupds: Cluster['lookupds'];
let brokers: BrokerNode[];

beforeAll(async () => {
  cluster = await Cluster.start();
  ({ lookupds, brokers } = cluster);
});

describe('two lookupds and three brokers', () => {
  it('a consumer that was there first gets what is published later, on any broker', async () => {
    const inbox = await cluster.consume('later');
    for (const [index, broker] of brokers.entries()) {
      const since = performance.now();
      const sent = bodies(`on ${index}`);
      await broker.publish('later', sent);
      recovered(`the first messages of a topic, broker ${index}`, await inbox.delay(sent, since), 1000);
    }
  });

  it.each([1, 50])(
    "a killed broker's consumers are on another one's messages within a second (%i in flight)",
    async (maxInFlight) => {
      const topic = `killed-${maxInFlight}`;
      const sent = await cluster.publish(topic, 'backlog', 2000);
      await cluster.listed(topic);
      const inbox = await cluster.consume(topic, { maxInFlight });
      const [body] = await inbox.next(() => true);
      const index = Number(body.split(' ')[2]);
      await brokers[index]?.kill();
      const since = performance.now();
      const [, at] = await inbox.next((it) => !it.startsWith(`backlog on ${index}`));
      recovered(`on another broker's messages, ${maxInFlight} in flight`, at - since, 1000);

      await brokers[index]?.start();
      const ready = performance.now();
      if (maxInFlight > 1) await inbox.has(sent.flat());
      await cluster.listed(topic);
      const again = ['after the start'];
      await brokers[index]?.publish(topic, again);
      if (maxInFlight > 1)
        recovered('a broker that was killed found again, from ready', await inbox.delay(again, ready), 2500);
    },
  );

  it('a lookupd that is killed disturbs nobody, and knows everything within two seconds of its start', async () => {
    await cluster.publish('lookupd', 'before');
    await cluster.listed('lookupd');
    const inbox = await cluster.consume('lookupd');
    const [first, second] = lookupds;
    await first?.kill();
    const sent = await cluster.publish('lookupd', 'without one');
    await inbox.has(sent.flat());
    await brokers[1]?.publish('new-meanwhile', ['a topic']);
    await second?.lists('new-meanwhile', brokers.slice(1, 2));

    await first?.start();
    const since = performance.now();
    await first?.lists('lookupd', brokers);
    await first?.lists('new-meanwhile', brokers.slice(1, 2));
    recovered('everything registered after the start of a lookupd', performance.now() - since, 2000);
  });

  it.each(['cut', 'hang'] as const)(
    'lookupds and a broker that are out of reach (%s) come back, and nothing is lost',
    async (how) => {
      const topic = `partition-${how}`;
      await cluster.publish(topic, 'before');
      await cluster.listed(topic);
      const inbox = await cluster.consume(topic);
      const [broker, ...others] = brokers;
      const networks = [
        ...(broker?.networks ?? []),
        ...others.flatMap(({ lookupdNetworks }) => lookupdNetworks),
        ...cluster.networks,
      ];
      for (const network of networks) network[how]();
      const during = await cluster.publish(topic, 'during');
      await others[0]?.publish(`${topic}-new`, ['a new topic']);
      await inbox.has(during.slice(1).flat());
      expect(inbox.times.has('during on 0 0')).toBe(false);
      for (const network of networks) network.heal();
      const since = performance.now();
      recovered(`a broker out of reach (${how}) back`, await inbox.delay(during.flat(), since), 3000);
      await cluster.listed(topic);
      await cluster.listed(`${topic}-new`, others.slice(0, 1));
      recovered(`lookupds out of reach (${how}) told everything`, performance.now() - since, 3000);
    },
  );

  it('a tombstoned broker is not consumed from; the topic made anew there is, at once', async () => {
    const [buried, ...others] = brokers;
    await cluster.publish('tombstone', 'before');
    await cluster.listed('tombstone');
    for (const it of lookupds) await it.post(`/topic/tombstone?topic=tombstone&node=${buried?.node}`);
    await cluster.listed('tombstone', others);
    const inbox = await cluster.consume('tombstone');
    await inbox.has([...bodies('before on 1'), ...bodies('before on 2')]);
    expect(inbox.times.has('before on 0 0')).toBe(false);
    await buried?.post('/topic/delete?topic=tombstone');
    const since = performance.now();
    await buried?.publish('tombstone', ['anew']);
    recovered('a topic made anew on a tombstoned broker', await inbox.delay(['anew'], since), 1000);
  });

  it('a deleted topic stays deleted in spite of its consumer, which gets what comes once it is made anew', async () => {
    await cluster.publish('deleted', 'before');
    await cluster.listed('deleted');
    const inbox = await cluster.consume('deleted');
    await inbox.has(brokers.flatMap((_, index) => bodies(`before on ${index}`)));
    for (const it of lookupds) await it.post('/topic/delete?topic=deleted');
    let lost = brokers.length;
    const disconnected = new Promise<void>((resolve) => {
      inbox.consumer.on('disconnect', () => {
        if (--lost === 0) resolve();
      });
    });
    for (const broker of brokers) await broker.post('/topic/delete?topic=deleted');
    await disconnected;
    // Others come and go meanwhile, and it asks again and again.
    await cluster.publish('another', 'beside', 1);
    await cluster.listed('another');
    for (const broker of brokers) expect(await broker.channels('deleted')).toBeUndefined();
    for (const it of lookupds) expect(await it.topics()).not.toContain('deleted');

    const since = performance.now();
    await brokers[2]?.publish('deleted', ['anew']);
    recovered('a deleted topic made anew', await inbox.delay(['anew'], since), 1000);
  });

  it('ephemeral topics and channels are found, and nothing is left of them when their consumers or brokers are gone', async () => {
    const topic = 'short#ephemeral';
    const [first, ...others] = brokers;
    const inbox = await cluster.consume(topic, { channel: 'x#ephemeral' });
    await cluster.publish(topic, 'first', 1);
    await cluster.listed(topic);
    await Promise.all(
      lookupds.map((it) => it.until(topic, ({ channels }) => channels.includes('x#ephemeral'))),
    );
    const sent = await cluster.publish(topic, 'then', 5);
    await inbox.has(sent.flat());
    await inbox.consumer.close();
    await Promise.all(lookupds.map((it) => it.until(topic, ({ channels }) => channels.length === 0)));
    for (const it of lookupds) expect(await it.topics()).not.toContain(topic);

    await first?.post('/topic/create?topic=orphan%23ephemeral');
    await others[0]?.post('/topic/create?topic=lasting');
    await cluster.listed('orphan#ephemeral', brokers.slice(0, 1));
    await first?.kill();
    await cluster.listed('orphan#ephemeral', []);
    for (const it of lookupds) expect(await it.topics()).not.toContain('orphan#ephemeral');
    await first?.start();
  });

  it('a broker that is started later has the channels of its topics before their first message', async () => {
    await brokers[0]?.post('/topic/create?topic=grown');
    for (const channel of ['a', 'b'])
      await brokers[0]?.post(`/channel/create?topic=grown&channel=${channel}`);
    await Promise.all(lookupds.map((it) => it.until('grown', ({ channels }) => channels.length === 2)));
    const later = await BrokerNode.start(lookupds);
    await later.publish('grown', ['first']);
    for (const channel of ['a', 'b']) {
      const inbox = await cluster.consume('grown', { channel });
      await inbox.has(['first']);
    }
    expect(await later.stop()).toBe(0);
    await cluster.listed('grown', brokers.slice(0, 1));
  });
});
