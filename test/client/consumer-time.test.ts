import { describe, expect, it, vi } from 'vitest';
import { deferred, subscribed, take } from './support/clients.js';
import { messageId } from './support/fake-nsqd.js';
import { said, settled, standStill } from './support/script.js';

const MINUTE = { identify: { msg_timeout: 60_000 } };

describe('Consumer: auto-touch', () => {
  it('touches what is held, at half its time, until it is answered', async () => {
    standStill();
    const gate = deferred();
    const { consumer, peer } = await subscribed({ autoTouch: true, readTimeout: 300_000 }, MINUTE);
    void consumer.run(() => gate.promise);
    peer.message([1, 'long'], [2, 'waits']);
    await settled(peer);
    vi.advanceTimersByTime(29_000);
    await settled(peer);
    expect(peer.count('TOUCH')).toBe(0);
    for (let half = 1; half <= 3; half++) {
      vi.advanceTimersByTime(30_000);
      await settled(peer);
      expect(peer.count('TOUCH')).toBe(2 * half);
    }
    gate.resolve();
    await peer.until(() => peer.count('FIN') === 2);
    vi.advanceTimersByTime(200_000);
    await settled(peer);
    expect(peer.count('TOUCH')).toBe(6);
  });

  it('counts from the last touch, whoever did it', async () => {
    standStill();
    const { consumer, peer } = await subscribed({ autoTouch: true, readTimeout: 300_000 }, MINUTE);
    peer.message([1, 'held']);
    const [held] = await take(consumer, 1);
    vi.advanceTimersByTime(20_000);
    held?.touch();
    vi.advanceTimersByTime(29_000);
    await settled(peer);
    expect(peer.count('TOUCH')).toBe(1);
    vi.advanceTimersByTime(1000);
    await settled(peer);
    expect(peer.count('TOUCH')).toBe(2);
  });

  it('ends where the broker touches no more', async () => {
    standStill();
    const { consumer, peer } = await subscribed({ autoTouch: true, readTimeout: 300_000 }, MINUTE);
    const timedOut: string[] = [];
    consumer.on('timeout', (message) => timedOut.push(message.text()));
    peer.message([1, 'held']);
    await take(consumer, 1);
    peer.error(`E_TOUCH_FAILED TOUCH ${messageId(1)} failed ID not in flight`);
    await settled(peer);
    vi.advanceTimersByTime(200_000);
    await settled(peer);
    expect([timedOut, peer.count('TOUCH')]).toEqual([['held'], 0]);
  });

  it('does not happen unless asked for, nor where the broker says nothing of time', async () => {
    standStill();
    const not = await subscribed({}, MINUTE);
    const unknown = await subscribed({ autoTouch: true }, { identify: { msg_timeout: undefined } });
    for (const { consumer, peer } of [not, unknown]) {
      peer.message([1, 'held']);
      await take(consumer, 1);
    }
    vi.advanceTimersByTime(45_000);
    for (const { peer } of [not, unknown]) {
      await settled(peer);
      expect(peer.count('TOUCH')).toBe(0);
    }
  });

  it('ends with the connection', async () => {
    standStill();
    const { consumer, peer } = await subscribed({ autoTouch: true, readTimeout: 300_000 }, MINUTE);
    peer.message([1, 'held']);
    const [held] = await take(consumer, 1);
    const closed = consumer.close({ timeout: 1000 });
    vi.advanceTimersByTime(1000);
    await closed;
    await peer.closed();
    vi.advanceTimersByTime(45_000);
    held?.touch();
    expect(said(peer)).toEqual(['RDY 10', 'RDY 0', 'CLS']);
  });
});

describe('Consumer: a message whose time is over', () => {
  it('is told of once, to who wants to know', async () => {
    standStill();
    const { consumer, peer } = await subscribed({ readTimeout: 300_000 }, MINUTE);
    const timedOut: string[] = [];
    consumer.on('timeout', (message) => timedOut.push(message.text()));
    peer.message([1, 'late'], [2, 'in time'], [3, 'touched']);
    const [late, inTime, touched] = await take(consumer, 3);
    vi.advanceTimersByTime(59_999);
    inTime?.finish();
    touched?.touch();
    expect([timedOut, late?.isTimedOut]).toEqual([[], false]);
    vi.advanceTimersByTime(2);
    expect([timedOut, late?.isTimedOut, touched?.isTimedOut]).toEqual([['late'], true, false]);
    vi.advanceTimersByTime(60_000);
    expect(timedOut).toEqual(['late', 'touched']);
  });

  it('is neither requeued nor touched any more; that its work is done is said all the same', async () => {
    standStill();
    const { consumer, peer } = await subscribed({ maxBackoffDuration: 0 }, MINUTE);
    peer.message([1, 'a'], [2, 'b'], [3, 'c']);
    const [a, b, c] = await take(consumer, 3);
    vi.advanceTimersByTime(60_000);
    a?.touch();
    a?.requeue();
    b?.finish();
    c?.touch();
    await settled(peer);
    expect(said(peer)).toEqual(['RDY 10', 'FIN 2']);
    expect([a?.isAnswered, b?.isAnswered, c?.isAnswered]).toEqual([true, true, false]);
    expect(consumer.stats()).toMatchObject({ messagesInFlight: 1, messagesFinished: 1, messagesRequeued: 1 });
  });

  it('while it waited is dropped, and told of', async () => {
    standStill();
    const { consumer, peer } = await subscribed({}, MINUTE);
    peer.message([1, 'old']);
    await settled(peer);
    vi.advanceTimersByTime(60_000);
    const timedOut: string[] = [];
    consumer.on('timeout', (message) => timedOut.push(message.text()));
    peer.message([2, 'fresh']);
    expect((await take(consumer, 1))[0]?.text()).toBe('fresh');
    expect(timedOut).toEqual(['old']);
    expect(consumer.stats().messagesInFlight).toBe(1);
  });
});
