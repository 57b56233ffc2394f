import type { Channel } from '../../../src/broker/channel.js';
import type { Consumer } from '../../../src/broker/delivery/consumer.js';
import type { Place } from '../../../src/broker/delivery/proximity.js';
import { recordLength } from '../../../src/broker/log/record.js';
import type { Slab } from '../../../src/broker/log/slab.js';
import { ATTEMPTS_OFFSET, BODY_OFFSET, ID_OFFSET } from '../../../src/protocol/message.js';
import { readHex32 } from '../../../src/protocol/message-id.js';

export interface Delivery {
  /** The message's number in its topic. */
  readonly n: number;
  readonly body: string;
  readonly attempts: number;
}

/** A consumer without a connection. It keeps what it is sent, and counts as a session does. */
export class FakeConsumer implements Consumer {
  readonly channel: Channel;
  readonly deliveries: Delivery[] = [];
  sampleRate = 0;
  readonly place: Place;
  msgTimeout = 3_600_000;
  ready = 0;
  inFlight = 0;
  closed = false;

  constructor(channel: Channel, ready = 0, place: Place = { topologyZone: '', topologyRegion: '' }) {
    this.channel = channel;
    this.place = place;
    if (!channel.addConsumer(this)) throw new Error('the channel takes no more consumers');
    this.rdy(ready);
  }

  rdy(count: number): void {
    this.ready = count;
    this.channel.schedule();
  }

  fin(n: number): boolean {
    return this.#gone(this.channel.finish(this, n));
  }

  req(n: number, delay = 0): boolean {
    return this.#gone(this.channel.requeue(this, n, delay));
  }

  leave(): void {
    this.channel.removeConsumer(this);
  }

  get bodies(): string[] {
    return this.deliveries.map(({ body }) => body);
  }

  capacity(): number {
    return this.ready - this.inFlight;
  }

  sendRecords(slab: Slab, start: number, end: number, count: number): void {
    let at = start;
    for (let i = 0; i < count; i++) at = this.#take(slab, at, slab.buf.readUInt16BE(at + ATTEMPTS_OFFSET));
    if (at !== end) throw new Error(`${count} records end at ${at}, not at ${end}`);
  }

  sendAgain(slab: Slab, start: number, end: number, attempts: number): void {
    const at = this.#take(slab, start, attempts);
    if (at !== end) throw new Error(`the record ends at ${at}, not at ${end}`);
  }

  messagesGone(count: number): void {
    this.inFlight -= count;
  }

  channelClosed(): void {
    this.closed = true;
  }

  #take({ buf }: Slab, at: number, attempts: number): number {
    const end = at + recordLength(buf, at);
    const n = this.channel.log.segments.numberOf(
      readHex32(buf, at + ID_OFFSET),
      readHex32(buf, at + ID_OFFSET + 8),
    );
    this.inFlight++;
    if (this.inFlight > this.ready) throw new Error(`${this.inFlight} in flight, RDY ${this.ready}`);
    this.deliveries.push({ n, body: buf.toString('utf8', at + BODY_OFFSET, end), attempts });
    return end;
  }

  #gone(done: boolean): boolean {
    if (done) this.inFlight--;
    return done;
  }
}
