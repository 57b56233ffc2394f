import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RdyBudget, type RdyPeer } from '../../src/client/rdy.js';

const TIMES = { idle: 10_000, hold: 30_000, gather: 250, allowance: 20 };

interface Peer extends RdyPeer {
  maxRdy: number;
  inFlight: number;
  lastMessageAt: number;
}

function peer(fields: Partial<Peer> = {}): Peer {
  return {
    maxRdy: 2500,
    inFlight: 0,
    lastMessageAt: 0,
    roundTrip: 5,
    rdy: 0,
    rdySince: 0,
    settlingRdy: 0,
    settlesAt: 0,
    ...fields,
  };
}

function budgetOf(...peers: Peer[]): RdyBudget<Peer> {
  const budget = new RdyBudget<Peer>(TIMES);
  for (const one of peers) budget.add(one);
  return budget;
}

describe('RdyBudget', () => {
  it('shares out all of max-in-flight, the rest to the first', () => {
    const peers = [peer(), peer(), peer()];
    budgetOf(...peers).plan(200, 3, 1);
    expect(peers.map((one) => one.rdy)).toEqual([67, 67, 66]);
  });

  it('says only what changes', () => {
    const budget = budgetOf(peer(), peer());
    expect(budget.plan(10, 2, 1)).toHaveLength(2);
    expect(budget.plan(10, 2, 2)).toHaveLength(0);
  });

  it('never asks for more than the broker takes', () => {
    const [a, b] = [peer(), peer({ maxRdy: 10 })];
    budgetOf(a, b).plan(10_000, 2, 1);
    expect([a.rdy, b.rdy]).toEqual([2500, 10]);
  });

  it('keeps a share for connections about to come', () => {
    const a = peer();
    budgetOf(a).plan(100, 4, 1);
    expect(a.rdy).toBe(25);
  });

  it('gives a new connection its share within a round trip: the others stop until they have settled', () => {
    const [a, b] = [peer(), peer()];
    const budget = budgetOf(a);
    budget.plan(100, 1, 1000);
    budget.add(b);
    expect(budget.plan(100, 2, 2000)).toEqual([{ peer: a, rdy: 0 }]);
    expect(budget.isShort).toBe(true);
    expect(budget.nextSettling).toBe(2025);
    expect(budget.plan(100, 2, 2024)).toEqual([]);
    expect(budget.plan(100, 2, 2025)).toEqual([
      { peer: a, rdy: 50 },
      { peer: b, rdy: 50 },
    ]);
    expect(budget.isShort).toBe(false);
    expect(budget.nextSettling).toBeUndefined();
  });

  it('stops none for those that have not come yet, nor where nobody waits', () => {
    const [a, b] = [peer(), peer()];
    const budget = budgetOf(a);
    budget.plan(100, 1, 1000);
    expect(budget.plan(100, 2, 2000)).toEqual([{ peer: a, rdy: 50 }]);
    expect(budget.nextSettling).toBe(2275);
    budget.add(b);
    expect(budget.plan(100, 2, 2010)).toEqual([{ peer: a, rdy: 0 }]);
    budget.plan(100, 2, 2035);
    expect([a.rdy, b.rdy]).toEqual([50, 50]);
  });

  it('need not stop one that has as much in flight as it is to have, or is to have as much as before', () => {
    const [a, b] = [peer(), peer()];
    const budget = budgetOf(a);
    budget.plan(100, 1, 1000);
    a.inFlight = 60;
    budget.add(b);
    expect(budget.plan(100, 2, 2000)).toEqual([{ peer: a, rdy: 50 }]);
    expect(budget.plan(100, 2, 2025)).toEqual([{ peer: b, rdy: 40 }]);
    // More again before it has written all: its broker may gather on.
    a.inFlight = 0;
    budget.plan(100, 2, 3000);
    a.inFlight = 50;
    budget.plan(80, 2, 4000);
    expect([a.rdy, a.settlesAt]).toEqual([40, 4025]);
    budget.plan(90, 2, 4001);
    expect([a.rdy, a.settlesAt]).toEqual([45, 4276]);
  });

  it('counts what is in flight still, and fills up as it is answered', () => {
    const [a, b] = [peer(), peer()];
    const budget = budgetOf(a);
    budget.plan(100, 1, 1000);
    a.inFlight = 90;
    budget.add(b);
    budget.plan(100, 2, 2000);
    budget.plan(100, 2, 3000);
    expect([a.rdy, b.rdy]).toEqual([50, 10]);
    a.inFlight = 60;
    budget.plan(100, 2, 3001);
    expect(b.rdy).toBe(40);
    a.inFlight = 0;
    budget.plan(100, 2, 3002);
    expect(b.rdy).toBe(50);
  });

  it('gives the share of a lost connection to the others at once', () => {
    const [a, b] = [peer(), peer()];
    const budget = budgetOf(a, b);
    budget.plan(100, 2, 1);
    budget.delete(b);
    budget.plan(100, 1, 2);
    expect(a.rdy).toBe(100);
  });

  it('takes all back when nothing may be in flight, and gives it again without waiting', () => {
    const peers = [peer(), peer()];
    const budget = budgetOf(...peers);
    budget.plan(100, 2, 1000);
    budget.plan(0, 2, 2000);
    expect(peers.map((one) => one.rdy)).toEqual([0, 0]);
    budget.plan(100, 2, 2001);
    expect(peers.map((one) => one.rdy)).toEqual([50, 50]);
  });

  it('passes RDY 1 around when there are more connections than messages, so that none starves', () => {
    const peers = Array.from({ length: 5 }, () => peer());
    const budget = budgetOf(...peers);
    const served = new Set<Peer>();
    for (let now = 1000; now < 80_000; now += 500) {
      budget.plan(2, 5, now);
      for (const one of peers) if (one.rdy > 0) served.add(one);
      expect(peers.reduce((sum, one) => sum + one.rdy, 0)).toBeLessThanOrEqual(2);
    }
    expect(served.size).toBe(5);
  });

  it('lets a busy connection keep its RDY for its time, and an idle one yield sooner', () => {
    const [busy, idle, waiting] = [peer(), peer(), peer()];
    const budget = budgetOf(busy, idle, waiting);
    budget.plan(2, 3, 1000);
    expect([busy.rdy, idle.rdy, waiting.rdy]).toEqual([1, 1, 0]);
    busy.lastMessageAt = 10_900;
    budget.plan(2, 3, 11_000);
    budget.plan(2, 3, 11_300);
    expect([busy.rdy, idle.rdy, waiting.rdy]).toEqual([1, 0, 1]);
    busy.lastMessageAt = waiting.lastMessageAt = 30_999;
    budget.plan(2, 3, 31_000);
    budget.plan(2, 3, 31_300);
    expect([busy.rdy, idle.rdy]).toEqual([0, 1]);
  });

  it('lets one connection have one message while probing, and keeps that within the limit', () => {
    const [a, b] = [peer(), peer()];
    const budget = budgetOf(a, b);
    budget.plan(10, 2, 1000);
    budget.plan(0, 2, 2000);
    budget.plan(10, 2, 4000, true);
    expect([a.rdy, b.rdy].sort()).toEqual([0, 1]);
    budget.plan(0, 2, 5000, true);
    expect([a.rdy, b.rdy]).toEqual([0, 0]);
    [a.inFlight, b.inFlight] = [10, 0];
    a.maxRdy = 0;
    budget.plan(10, 1, 6000, true);
    expect([a.rdy, b.rdy]).toEqual([0, 0]);
    expect(budget.isShort).toBe(true);
    a.inFlight = 9;
    budget.plan(10, 1, 6001, true);
    expect(b.rdy).toBe(1);
  });

  it('probes each connection in turn', () => {
    const peers = [peer(), peer(), peer()];
    const budget = budgetOf(...peers);
    budget.plan(9, 3, 1000);
    const probed: Peer[] = [];
    for (let now = 2000; now < 32_000; now += 10_000) {
      budget.plan(0, 3, now);
      budget.plan(9, 3, now + 5000, true);
      probed.push(...peers.filter((one) => one.rdy === 1));
    }
    expect(new Set(probed).size).toBe(3);
  });

  it('gives nothing to a connection that is being left, whose share the others get', () => {
    const [a, b] = [peer(), peer()];
    const budget = budgetOf(a, b);
    budget.plan(10, 2, 1000);
    a.maxRdy = 0;
    expect(budget.size).toBe(1);
    budget.plan(10, 1, 2000);
    budget.plan(10, 1, 3000);
    expect([a.rdy, b.rdy]).toEqual([0, 10]);
    budget.plan(1, 1, 4000);
    expect([a.rdy, b.rdy]).toEqual([0, 1]);
  });

  it('never lets more be in flight in sum, whatever happens', () => {
    const happening = fc.record({
      what: fc.constantFrom('join', 'leave', 'quit', 'receive', 'answer', 'plan', 'stop', 'probe'),
      which: fc.nat(),
      wait: fc.nat({ max: 400 }),
    });
    fc.assert(
      fc.property(
        fc.array(happening, { maxLength: 80, size: 'max' }),
        fc.integer({ min: 1, max: 12 }),
        (happenings, limit) => {
          const budget = new RdyBudget<Peer>(TIMES);
          const peers: Peer[] = [];
          const sumOf = (field: 'rdy' | 'inFlight'): number =>
            peers.reduce((sum, one) => sum + one[field], 0);
          let now = 1000;
          for (const { what, which, wait } of happenings) {
            now += wait;
            const one = peers[which % Math.max(1, peers.length)];
            if (what === 'join') {
              const joined = peer();
              peers.push(joined);
              budget.add(joined);
            } else if (what === 'leave' && one) {
              peers.splice(peers.indexOf(one), 1);
              budget.delete(one);
            } else if (what === 'quit' && one) {
              one.maxRdy = 0;
            } else if (what === 'receive' && one) {
              const mayHave = now < one.settlesAt ? Math.max(one.rdy, one.settlingRdy) : one.rdy;
              if (one.inFlight < mayHave) one.inFlight++;
            } else if (what === 'answer' && one && one.inFlight > 0) {
              one.inFlight--;
            } else if (what === 'plan') {
              budget.plan(limit, budget.size, now);
            } else if (what === 'stop') {
              budget.plan(0, budget.size, now);
              expect(sumOf('rdy')).toBe(0);
            } else if (what === 'probe') {
              budget.plan(limit, budget.size, now, true);
              expect(sumOf('rdy')).toBeLessThanOrEqual(1);
            }
            expect(sumOf('rdy')).toBeLessThanOrEqual(limit);
            expect(sumOf('inFlight')).toBeLessThanOrEqual(limit);
          }
        },
      ),
    );
  });

  it('shares all of it out, evenly, once everything is answered and settled', () => {
    const limits = fc.array(fc.integer({ min: 0, max: 40 }), { minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(limits, fc.integer({ min: 1, max: 9 }), fc.boolean(), (before, count, isProbed) => {
        const peers = Array.from({ length: count }, () => peer());
        const budget = budgetOf(...peers);
        let now = 1000;
        for (const limit of before) {
          now += 37;
          budget.plan(limit, count, now, isProbed);
        }
        const limit = before.at(-1) ?? 0;
        budget.plan(limit, count, now + 1000);
        budget.plan(limit, count, now + 2000);
        const shares = peers.map((one) => one.rdy);
        expect(shares.reduce((sum, share) => sum + share, 0)).toBe(limit);
        expect(Math.max(...shares) - Math.min(...shares)).toBeLessThanOrEqual(1);
      }),
    );
  });
});
