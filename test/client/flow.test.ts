import fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Outcome } from '../../src/client/backoff.js';
import { Flow, type FlowPeer } from '../../src/client/flow.js';

const SETTINGS = {
  maxInFlight: 10,
  lowRdyIdleTimeout: 10_000,
  lowRdyTimeout: 30_000,
  rdyRedistributeInterval: 5000,
  backoffStrategy: 'exponential',
  backoffMultiplier: 1000,
  maxBackoffDuration: 120_000,
} as const;

/** A connection whose broker gives as much as its RDY says, and for a while after it was lowered what is on its way. */
class Peer implements FlowPeer {
  maxRdy = 2500;
  inFlight = 0;
  rdy = 0;
  rdySince = 0;
  settlingRdy = 0;
  settlesAt = 0;
  lastMessageAt = 0;
  roundTrip = 1;
  /** What it was told, in order. */
  readonly told: number[] = [];

  sendRdy(count: number): void {
    this.told.push(count);
  }

  /** True if there was room for a message. */
  receive(): boolean {
    const now = performance.now();
    const mayHave = now < this.settlesAt ? Math.max(this.rdy, this.settlingRdy) : this.rdy;
    if (this.inFlight >= mayHave) return false;
    this.inFlight++;
    this.lastMessageAt = now;
    return true;
  }
}

/** Ms that a byte is under way. */
const LATENCY = 10;
const GATHER = 250;

/** An nsqd that gathers messages until it may send no more, or for a while; `sent` are unanswered. */
class GatheringPeer extends Peer {
  override roundTrip = 2 * LATENCY;
  sent = 0;
  #ready = 0;
  #gathered = 0;
  #timer: NodeJS.Timeout | undefined;

  override sendRdy(count: number): void {
    super.sendRdy(count);
    setTimeout(() => {
      this.#ready = count;
      if (this.sent >= count) this.#write();
    }, LATENCY);
  }

  push(): void {
    if (this.sent >= this.#ready) return;
    this.sent++;
    this.#gathered++;
    if (this.sent >= this.#ready) this.#write();
    else this.#timer ??= setTimeout(() => this.#write(), GATHER);
  }

  #write(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const count = this.#gathered;
    this.#gathered = 0;
    if (count === 0) return;
    setTimeout(() => {
      this.inFlight += count;
      this.lastMessageAt = performance.now();
    }, LATENCY);
  }
}

function standStill(): void {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setImmediate', 'performance'] });
}

afterEach(() => {
  vi.useRealTimers();
});

const KINDS = [
  'join',
  'lose',
  'receive',
  'good',
  'bad',
  'neither',
  'wait',
  'pause',
  'resume',
  'limit',
] as const;
const OUTCOMES: Readonly<Record<string, Outcome>> = { good: 'success', bad: 'failure', neither: 'neutral' };

describe('Flow', () => {
  it('keeps to max-in-flight in sum, to nothing while stopped and to one while probing, whatever happens', () => {
    const happening = fc.record({ kind: fc.constantFrom(...KINDS), which: fc.nat(), amount: fc.nat() });
    fc.assert(
      fc.property(fc.array(happening, { maxLength: 120, size: 'max' }), (happenings) => {
        standStill();
        let isBackingOff = false;
        const flow = new Flow<Peer>(SETTINGS, 250, {
          coming: () => 0,
          backoff: (level) => {
            isBackingOff = level > 0;
          },
        });
        const peers: Peer[] = [];
        const sumOf = (field: 'rdy' | 'inFlight'): number => peers.reduce((sum, one) => sum + one[field], 0);
        let limit: number = SETTINGS.maxInFlight;
        let highest = limit;
        for (const { kind, which, amount } of happenings) {
          const peer = peers[which % Math.max(1, peers.length)];
          const outcome = OUTCOMES[kind];
          if (kind === 'join') {
            const joined = new Peer();
            peers.push(joined);
            flow.add(joined);
          } else if (kind === 'lose' && peer) {
            peers.splice(peers.indexOf(peer), 1);
            flow.delete(peer);
          } else if (kind === 'receive') {
            peer?.receive();
          } else if (outcome && peer && peer.inFlight > 0) {
            peer.inFlight--;
            flow.answered(outcome);
          } else if (kind === 'wait') {
            vi.advanceTimersByTime(amount % 6000);
          } else if (kind === 'pause' || kind === 'resume') {
            flow.isPaused = kind === 'pause';
          } else if (kind === 'limit') {
            limit = amount % 20;
            highest = Math.max(highest, limit);
            flow.maxInFlight = limit;
          }
          expect(sumOf('rdy')).toBeLessThanOrEqual(flow.isPaused ? 0 : limit);
          expect(sumOf('inFlight')).toBeLessThanOrEqual(highest);
          if (flow.backoffLevel > 0) expect(sumOf('rdy')).toBeLessThanOrEqual(1);
          expect(isBackingOff).toBe(flow.backoffLevel > 0);
          for (const one of peers) expect(one.told.at(-1) ?? 0).toBe(one.rdy);
        }

        // When all goes well from here, everybody has a share in the end.
        flow.isPaused = false;
        flow.maxInFlight = 10;
        for (let round = 0; round < 80 && peers.length > 0; round++) {
          for (const peer of peers) {
            peer.receive();
            while (peer.inFlight > 0) {
              peer.inFlight--;
              flow.answered('success');
            }
          }
          vi.advanceTimersByTime(10_000);
        }
        if (peers.length > 0) expect([sumOf('rdy'), flow.backoffLevel]).toEqual([10, 0]);
        const shares = peers.map((one) => one.rdy);
        expect(Math.max(0, ...shares) - Math.min(...shares, 10)).toBeLessThanOrEqual(1);
        flow.stop();
        vi.useRealTimers();
      }),
      { numRuns: 60 },
    );
  });

  it('keeps to max-in-flight with brokers that gather messages before they write them', () => {
    const happening = fc.record({
      kind: fc.constantFrom('join', 'push', 'push', 'answer', 'answer', 'wait', 'lose', 'limit'),
      which: fc.nat(),
      amount: fc.nat({ max: 400 }),
    });
    fc.assert(
      fc.property(fc.array(happening, { maxLength: 150, size: 'max' }), (happenings) => {
        standStill();
        const settings = { ...SETTINGS, maxBackoffDuration: 0 };
        const flow = new Flow<GatheringPeer>(settings, GATHER, { coming: () => 0, backoff: () => undefined });
        const peers: GatheringPeer[] = [];
        for (const { kind, which, amount } of happenings) {
          const peer = peers[which % Math.max(1, peers.length)];
          if (kind === 'join') {
            const joined = new GatheringPeer();
            peers.push(joined);
            flow.add(joined);
          } else if (kind === 'lose' && peer) {
            peers.splice(peers.indexOf(peer), 1);
            flow.delete(peer);
          } else if (kind === 'push') {
            for (let n = amount % 12; n > 0; n--) peer?.push();
          } else if (kind === 'answer' && peer) {
            for (let n = amount % 12; n > 0 && peer.inFlight > 0; n--) {
              peer.inFlight--;
              peer.sent--;
              flow.answered('success');
            }
          } else if (kind === 'wait') {
            vi.advanceTimersByTime(amount % (amount % 4 === 0 ? 400 : 40));
          } else if (kind === 'limit') {
            flow.maxInFlight = amount % 11;
          }
          expect(peers.reduce((sum, { sent }) => sum + sent, 0)).toBeLessThanOrEqual(10);
        }
        flow.stop();
        vi.useRealTimers();
      }),
      { numRuns: 200 },
    );
  });

  it('serves every connection in turn when there are more than may be in flight', () => {
    standStill();
    const flow = new Flow<Peer>({ ...SETTINGS, maxInFlight: 2 }, 250, {
      coming: () => 0,
      backoff: () => undefined,
    });
    const peers = Array.from({ length: 5 }, () => new Peer());
    for (const peer of peers) flow.add(peer);
    const served = new Set<Peer>();
    for (let second = 0; second < 120; second++) {
      for (const peer of peers) {
        if (!peer.receive()) continue;
        served.add(peer);
        peer.inFlight--;
        flow.answered('success');
      }
      vi.advanceTimersByTime(1000);
    }
    flow.stop();
    expect(served.size).toBe(5);
  });
});
