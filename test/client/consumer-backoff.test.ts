import { once } from 'node:events';
import { describe, expect, it, vi } from 'vitest';
import { consumerOf, subscribed, take } from './support/clients.js';
import { fakeNsqd } from './support/fake-nsqd.js';
import { failingAtBad, said, settled, standStill } from './support/script.js';

/** A consumer at two fake nsqds, with RDY 5 at each. */
async function atTwo(options: Parameters<typeof consumerOf>[1] = {}) {
  const nsqds = [await fakeNsqd(), await fakeNsqd()] as const;
  const consumer = consumerOf(
    nsqds.map((one) => one.address),
    { maxInFlight: 10, requeueDelay: 0, ...options },
  );
  await consumer.connect();
  const peers = [await nsqds[0].peer(), await nsqds[1].peer()] as const;
  for (const peer of peers) await settled(peer);
  return { nsqds, consumer, peers };
}

describe('Consumer: backoff', () => {
  it('stops, lets one message through, and goes on, saying so before each answer', async () => {
    standStill();
    const { consumer, peer } = await subscribed({ maxInFlight: 5, requeueDelay: 0 });
    const events: unknown[] = [];
    consumer.on('backoff', (level, delay) => events.push([level, delay]));
    void consumer.run(failingAtBad);
    peer.message([1, 'bad']);
    await settled(peer);
    expect(said(peer)).toEqual(['RDY 5', 'RDY 0', 'REQ 1 0']);

    vi.advanceTimersByTime(1999);
    await settled(peer);
    expect(peer.rdy).toBe(0);
    vi.advanceTimersByTime(1);
    await settled(peer);
    peer.message([2, 'bad']);
    await settled(peer);
    vi.advanceTimersByTime(4000);
    await settled(peer);
    peer.message([3, 'good']);
    await settled(peer);
    vi.advanceTimersByTime(2000);
    await settled(peer);
    peer.message([4, 'good']);
    await settled(peer);
    peer.message([5, 'good']);
    await settled(peer);
    expect(said(peer).slice(3)).toEqual([
      'RDY 1',
      'RDY 0',
      'REQ 2 0',
      'RDY 1',
      'RDY 0',
      'FIN 3',
      'RDY 1',
      'RDY 5',
      'FIN 4',
      'FIN 5',
    ]);
    expect(events).toEqual([
      [1, 2000],
      [2, 4000],
      [1, 2000],
      [0, 0],
    ]);
  });

  it('counts many failures at a time once', async () => {
    standStill();
    const { consumer, peer } = await subscribed({ requeueDelay: 0 });
    void consumer.run(failingAtBad);
    peer.message([1, 'bad'], [2, 'bad'], [3, 'good'], [4, 'bad']);
    await settled(peer);
    expect(said(peer)).toEqual(['RDY 10', 'RDY 0', 'REQ 1 0', 'REQ 2 0', 'FIN 3', 'REQ 4 0']);
    expect(consumer.stats().backoffLevel).toBe(1);
  });

  it('stops all connections, and lets one have one message', async () => {
    standStill();
    const { consumer, peers } = await atTwo();
    const [a, b] = peers;
    void consumer.run(failingAtBad);
    a.message([1, 'bad']);
    await Promise.all(peers.map(settled));
    expect([said(a), said(b)]).toEqual([
      ['RDY 5', 'RDY 0', 'REQ 1 0'],
      ['RDY 5', 'RDY 0'],
    ]);
    vi.advanceTimersByTime(2000);
    await Promise.all(peers.map(settled));
    expect(peers.map((peer) => peer.rdy).sort()).toEqual([0, 1]);
    const [probe, other] = a.rdy === 1 ? [a, b] : [b, a];
    probe.message([2, 'good']);
    await Promise.all(peers.map(settled));
    // What stays is at once where there is room; messages may still be on their way where RDY was lowered.
    vi.advanceTimersByTime(300);
    await Promise.all(peers.map(settled));
    expect([probe.rdy, other.rdy]).toEqual([5, 5]);
    expect(consumer.stats().backoffLevel).toBe(0);
  });

  it('passes the one message on when its connection is lost, or idle', async () => {
    standStill();
    const { consumer, nsqds, peers } = await atTwo({
      maxReconnectDelay: 3_600_000,
      reconnectDelay: 3_600_000,
    });
    void consumer.run(failingAtBad);
    peers[0].message([1, 'bad']);
    await Promise.all(peers.map(settled));
    vi.advanceTimersByTime(2000);
    await Promise.all(peers.map(settled));
    const first = peers.findIndex((peer) => peer.rdy === 1);
    expect(peers.map((peer) => peer.rdy)).toEqual(first === 0 ? [1, 0] : [0, 1]);

    vi.advanceTimersByTime(15_000);
    await Promise.all(peers.map(settled));
    expect(peers.map((peer) => peer.rdy)).toEqual(first === 0 ? [0, 1] : [1, 0]);

    await nsqds[1 - first]?.stop();
    const left = peers[first];
    await left?.until(() => left.rdy === 1);
  });

  it('leaves it to others when told to', async () => {
    const { consumer, peer } = await subscribed();
    peer.message([1, 'a']);
    const [message] = await take(consumer, 1);
    message?.requeue({ delay: 0, backoff: false });
    await settled(peer);
    expect(said(peer)).toEqual(['RDY 10', 'REQ 1 0']);
  });

  it('goes on at its level after an answer that is neither', async () => {
    standStill();
    const { consumer, peer } = await subscribed({ requeueDelay: 0 });
    const delays: number[] = [];
    consumer.on('backoff', (_level, delay) => delays.push(delay));
    peer.message([1, 'a']);
    (await take(consumer, 1))[0]?.requeue();
    vi.advanceTimersByTime(2000);
    peer.message([2, 'b']);
    (await take(consumer, 1))[0]?.requeue({ backoff: false });
    expect(delays).toEqual([2000, 2000]);
  });

  it('does not at all with a longest backoff of 0', async () => {
    const { consumer, peer } = await subscribed({ maxBackoffDuration: 0, requeueDelay: 0 });
    void consumer.run(failingAtBad);
    peer.message([1, 'bad']);
    await settled(peer);
    expect(said(peer)).toEqual(['RDY 10', 'REQ 1 0']);
  });

  it('asks for nothing while paused, and for one message when resumed', async () => {
    standStill();
    const { consumer, peer } = await subscribed({ requeueDelay: 0 });
    void consumer.run(failingAtBad);
    peer.message([1, 'bad']);
    await settled(peer);
    consumer.pause();
    vi.advanceTimersByTime(60_000);
    await settled(peer);
    expect(peer.rdy).toBe(0);
    consumer.resume();
    await settled(peer);
    expect(peer.rdy).toBe(1);
  });

  it('asks a new connection for nothing before its time, and then for one message', async () => {
    standStill();
    const { consumer, nsqd, peer } = await subscribed({ requeueDelay: 0 });
    void consumer.run(failingAtBad);
    peer.message([1, 'bad']);
    await settled(peer);
    const retry = once(consumer, 'retry');
    peer.cut();
    await retry;
    vi.advanceTimersByTime(100);
    const again = await nsqd.peer();
    await again.next('SUB');
    await settled(again);
    expect(said(again)).toEqual([]);
    vi.advanceTimersByTime(1900);
    await settled(again);
    expect(said(again)).toEqual(['RDY 1']);
  });

  it('is over with the consumer', async () => {
    standStill();
    const { consumer, peer } = await subscribed({ requeueDelay: 0 });
    void consumer.run(failingAtBad);
    peer.message([1, 'bad']);
    await settled(peer);
    await consumer.close({ timeout: 0 });
    vi.advanceTimersByTime(10_000);
    expect(said(peer)).toEqual(['RDY 10', 'RDY 0', 'REQ 1 0', 'CLS']);
  });
});
