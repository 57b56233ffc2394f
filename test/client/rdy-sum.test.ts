import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { consumerOf, deferred, until } from './support/clients.js';
import { type FakeNsqd, type FakePeer, fakeNsqd } from './support/fake-nsqd.js';

/** Numbers that are the same each time. */
function dice(seed: number): (sides: number) => number {
  let state = seed;
  return (sides) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return Math.floor((state / 2 ** 32) * sides);
  };
}

describe('Consumer: RDY as the brokers see it', () => {
  it.each([1, 2, 3])('is never more than max-in-flight in sum, whatever happens (%i)', async (seed) => {
    const roll = dice(seed);
    const live = new Set<FakePeer>();
    const limit = 10;
    let highest = 0;
    let sent = 0;
    const watch = (): void => {
      let sum = 0;
      for (const peer of live) sum += peer.rdy;
      highest = Math.max(highest, sum - limit);
    };
    // As much as it may, as soon as it may.
    const fill = (peer: FakePeer): void => {
      const unanswered = () => sentBy(peer) - peer.count('FIN') - peer.count('REQ');
      while (unanswered() < peer.rdy && sent < 3000) {
        sent++;
        counts.set(peer, sentBy(peer) + 1);
        peer.message([sent, 'x']);
      }
    };
    const counts = new Map<FakePeer, number>();
    const sentBy = (peer: FakePeer): number => counts.get(peer) ?? 0;
    const on = {
      SUB: (peer: FakePeer) => {
        live.add(peer);
        peer.socket.once('close', () => live.delete(peer));
        peer.respond('OK');
      },
      RDY: (peer: FakePeer) => {
        watch();
        fill(peer);
      },
      FIN: fill,
      REQ: fill,
    };
    const nsqds: FakeNsqd[] = [];
    for (let n = 0; n < 12; n++) nsqds.push(await fakeNsqd({ on }));
    const addresses = nsqds.map(({ address }) => address);
    const consumer = consumerOf(addresses.slice(0, 2), {
      maxInFlight: limit,
      maxBackoffDuration: 0,
      maxAttempts: 0,
    });
    let most = 0;
    let handled = 0;
    void consumer.run(
      async () => {
        most = Math.max(most, consumer.stats().messagesInFlight - limit);
        if (roll(4) === 0) await delay(roll(10));
        handled++;
      },
      { concurrency: 20 },
    );
    await consumer.connect();
    for (let step = 0; step < 60; step++) {
      const address = addresses[roll(addresses.length)] ?? '';
      const act = roll(6);
      if (act <= 1) void consumer.connectToNsqd(address).catch(() => undefined);
      else if (act === 2) void consumer.disconnectFromNsqd(address).catch(() => undefined);
      else if (act === 3) [...live][roll(Math.max(1, live.size))]?.cut();
      else if (act === 4) {
        consumer.pause();
        await delay(roll(10));
        consumer.resume();
      } else {
        // A smaller one holds from when what it takes back is back.
        consumer.changeMaxInFlight(roll(3) === 0 ? 3 : 10);
      }
      await delay(roll(15));
    }
    consumer.changeMaxInFlight(limit);
    await Promise.all(addresses.map((address) => consumer.connectToNsqd(address)));
    await until(() => [...live].reduce((sum, { rdy }) => sum + rdy, 0) === limit || sent === 3000);
    expect(Math.max(highest, most)).toBeLessThanOrEqual(0);
    expect(handled).toBeGreaterThan(100);
  });

  it('stays within it when this process was busy: what came meanwhile is read before its share is given away', async () => {
    const busy = await fakeNsqd();
    const waiting = await fakeNsqd({
      on: {
        RDY: (peer, { params }) => {
          for (let n = 0; n < Number(params[0]); n++) peer.message([100 + n, 'x']);
        },
      },
    });
    const consumer = consumerOf(busy.address, { maxInFlight: 10 });
    const taken = deferred();
    void consumer.run(() => taken.promise, { concurrency: 100 });
    await consumer.connect();
    const peer = await busy.peer();
    await peer.next('RDY');
    consumer.on('rdy', (address, count) => {
      if (address !== busy.address || count !== 0) return;
      // Behind the timer for when it has settled.
      setImmediate(() => {
        for (let n = 0; n < 10; n++) peer.message([n, 'x']);
        const end = performance.now() + 60;
        while (performance.now() < end);
      });
    });
    await consumer.connectToNsqd(waiting.address);
    await until(() => consumer.stats().messagesInFlight >= 10);
    await delay(50);
    expect(consumer.stats().messagesInFlight).toBe(10);
    taken.resolve();
  });
});
