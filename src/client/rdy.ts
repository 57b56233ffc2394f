/** A connection as the budget sees it. Times are `performance.now()`, ms. */
export interface RdyPeer {
  /** The largest RDY its broker takes; 0 = it is being left. */
  readonly maxRdy: number;
  /** Messages received and not answered. */
  readonly inFlight: number;
  /** When its last message came; 0 = never. */
  readonly lastMessageAt: number;
  /** From this side to its broker and back, ms. */
  readonly roundTrip: number;
  /** The RDY sent last. */
  rdy: number;
  /** When `rdy` was last changed. */
  rdySince: number;
  /** The RDY before it was lowered, which may still be in force while what was under way arrives. */
  settlingRdy: number;
  settlesAt: number;
}

export interface RdyTimes {
  /** Idle time after which a holder yields when there are more connections than messages, ms. */
  readonly idle: number;
  /** The same, idle or not, ms. */
  readonly hold: number;
  /** How long a broker that may send more gathers messages before it writes them, ms. */
  readonly gather: number;
  /** Allowance for a broker that is busy, ms. */
  readonly allowance: number;
}

export interface RdyChange<Peer extends RdyPeer> {
  readonly peer: Peer;
  readonly rdy: number;
}

/**
 * Spreads max-in-flight over connections so that the sum of what may be in flight never exceeds it:
 *
 *     claim of a peer = the largest of its RDY, the RDY it had until it settles, and what it has in flight
 *     sum of claims  <= maxInFlight
 *
 * Lowering takes effect at once, raising only as far as the other claims leave room; the rest follows with a later
 * plan. With fewer messages than connections, some hold RDY 1 and pass it on.
 *
 * A broker that may send no more writes what it has gathered (nsqd/protocol_v2.go, messagePump: "force flush"), so that
 * a peer at RDY 0 settles within a round trip. Where others wait for what a peer gives up, it is therefore sent RDY 0, and
 * its share when it has settled.
 */
export class RdyBudget<Peer extends RdyPeer> {
  readonly #peers = new Set<Peer>();
  readonly #times: RdyTimes;
  /** All that came until then has been read. */
  #readUntil = 0;
  /** Some peer has less than its share, for want of room. */
  isShort = false;

  constructor(times: RdyTimes) {
    this.#times = times;
  }

  /** Connections that may have messages. */
  get size(): number {
    let size = 0;
    for (const peer of this.#peers) if (peer.maxRdy > 0) size++;
    return size;
  }

  /** All connections. */
  get peers(): Iterable<Peer> {
    return this.#peers;
  }

  add(peer: Peer): void {
    this.#peers.add(peer);
  }

  delete(peer: Peer): void {
    this.#peers.delete(peer);
  }

  /**
   * The changes to make now, lowerings first; the peers' fields are up to date when it returns.
   * @param expected connections to share with: those there are, and those about to come
   * @param isProbe only one connection may have messages, one at a time
   * @param readUntil all that came until then has been read; a peer has not settled before that is past its time
   */
  plan(
    maxInFlight: number,
    expected: number,
    now: number,
    isProbe = false,
    readUntil = now,
  ): readonly RdyChange<Peer>[] {
    this.#readUntil = readUntil;
    const targets = isProbe
      ? this.#turns(Math.min(1, maxInFlight), now, Math.random)
      : this.#targets(maxInFlight, expected, now);
    const changes: RdyChange<Peer>[] = [];
    for (const [peer, target] of targets) {
      if (target < peer.rdy) this.#lower(peer, target, now, changes);
    }
    this.#raise(targets, maxInFlight, now, changes);
    if (this.isShort) this.#hasten(now, changes);
    return changes;
  }

  /** When the next peer settles; undefined when none was settling at the last plan. */
  get nextSettling(): number | undefined {
    let next: number | undefined;
    for (const peer of this.#peers) {
      const { settlesAt } = peer;
      if (this.#isSettling(peer) && (next === undefined || settlesAt < next)) next = settlesAt;
    }
    return next;
  }

  #lower(peer: Peer, rdy: number, now: number, changes: RdyChange<Peer>[]): void {
    peer.settlingRdy = this.#isSettling(peer) ? Math.max(peer.settlingRdy, peer.rdy) : peer.rdy;
    peer.settlesAt = now + (peer.inFlight >= rdy ? this.#flushTime(peer) : this.#settleTime(peer));
    peer.rdy = rdy;
    peer.rdySince = now;
    changes.push({ peer, rdy });
  }

  #raise(
    targets: ReadonlyMap<Peer, number>,
    maxInFlight: number,
    now: number,
    changes: RdyChange<Peer>[],
  ): void {
    let free = maxInFlight;
    for (const peer of this.#peers) free -= this.#claimOf(peer);
    this.isShort = false;
    for (const [peer, target] of targets) {
      if (target <= peer.rdy) continue;
      const claim = this.#claimOf(peer);
      const isFlushing = this.#isSettling(peer) && target < peer.settlingRdy;
      const rdy = isFlushing && peer.rdy === 0 ? 0 : Math.min(target, claim + Math.max(0, free));
      if (rdy < target) this.isShort = true;
      if (rdy <= peer.rdy) continue;
      // It may send more before it has written what it gathered.
      if (isFlushing) peer.settlesAt = Math.max(peer.settlesAt, now + this.#settleTime(peer));
      free -= Math.max(0, rdy - claim);
      peer.rdy = rdy;
      peer.rdySince = now;
      changes.push({ peer, rdy });
    }
  }

  /** Lets those write what they have gathered whose claim is more than they are to have. */
  #hasten(now: number, changes: RdyChange<Peer>[]): void {
    for (const peer of this.#peers) {
      const holdsBack = this.#isSettling(peer) && peer.settlingRdy > Math.max(peer.rdy, peer.inFlight);
      if (!holdsBack || peer.rdy === 0 || now + this.#flushTime(peer) >= peer.settlesAt) continue;
      const said = changes.findIndex((change) => change.peer === peer);
      if (said !== -1) changes.splice(said, 1);
      this.#lower(peer, 0, now, changes);
    }
  }

  #isSettling({ settlesAt }: Peer): boolean {
    return this.#readUntil < settlesAt;
  }

  #claimOf(peer: Peer): number {
    return Math.max(peer.rdy, peer.inFlight, this.#isSettling(peer) ? peer.settlingRdy : 0);
  }

  #flushTime({ roundTrip }: Peer): number {
    return roundTrip + this.#times.allowance;
  }

  #settleTime(peer: Peer): number {
    return this.#times.gather + this.#flushTime(peer);
  }

  #targets(maxInFlight: number, expected: number, now: number): Map<Peer, number> {
    const share = Math.floor(maxInFlight / Math.max(1, expected));
    if (share === 0) return this.#turns(maxInFlight, now, () => 0);
    let extra = maxInFlight - share * expected;
    const targets = new Map<Peer, number>();
    for (const peer of this.#peers) {
      const isOpen = peer.maxRdy > 0;
      targets.set(peer, isOpen ? Math.min(peer.maxRdy, share + (extra-- > 0 ? 1 : 0)) : 0);
    }
    return targets;
  }

  /**
   * RDY 1 for as many as may have it: holders whose time lasts, those that wait (the longest first, then by `tie`), the
   * others.
   */
  #turns(maxInFlight: number, now: number, tie: () => number): Map<Peer, number> {
    const rank = (peer: Peer): number => {
      if (peer.maxRdy === 0) return 3;
      if (peer.rdy === 0) return 1;
      const isBusy = now - Math.max(peer.rdySince, peer.lastMessageAt) < this.#times.idle;
      return isBusy && now - peer.rdySince < this.#times.hold ? 0 : 2;
    };
    const ranked = [...this.#peers].map((peer) => ({ peer, rank: rank(peer), tie: tie() }));
    ranked.sort((a, b) => a.rank - b.rank || a.peer.rdySince - b.peer.rdySince || a.tie - b.tie);
    return new Map(ranked.map(({ peer, rank }, place) => [peer, rank < 3 && place < maxInFlight ? 1 : 0]));
  }
}
