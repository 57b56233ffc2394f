import { setImmediate } from 'node:timers/promises';
import { importFromNsqd, type TakeoverReport } from '../../../../src/broker/index.js';
import { recordLength } from '../../../../src/broker/log/record.js';
import type { Slab } from '../../../../src/broker/log/slab.js';
import { ATTEMPTS_OFFSET, BODY_OFFSET, TIMESTAMP_OFFSET } from '../../../../src/protocol/message.js';
import { tempDir } from '../../../support/temp.js';
import { LoggerNotes } from '../../log/support/logs.js';
import { openBroker } from '../../support/brokers.js';
import { FakeConsumer } from '../../support/fake-consumer.js';
import { bodyOf, NsqdData, type NsqdMessage, timestampOf } from './nsqd-data.js';

export interface Imported {
  readonly report: TakeoverReport;
  /** Warnings and errors that were logged. */
  readonly lines: readonly string[];
}

export function newData(): NsqdData {
  return new NsqdData(tempDir());
}

export async function importFrom({ path }: NsqdData, maxMsgSize?: number): Promise<Imported> {
  const logger = new LoggerNotes();
  const report = await importFromNsqd({ dataPath: path, logger, maxMsgSize });
  return { report, lines: logger.lines };
}

/** What a channel delivers: body, attempts and timestamp of each message. */
export type Delivered = readonly [body: string, attempts: number, timestamp: bigint];

interface ChannelContent {
  readonly paused: boolean;
  readonly messages: readonly Delivered[];
}

export interface TopicContent {
  readonly paused: boolean;
  /** Messages that no channel has got. */
  readonly waiting: number;
  readonly channels: Readonly<Record<string, ChannelContent>>;
}

/** What a message of nsqd's is to be delivered as. */
export function expected(list: readonly NsqdMessage[]): Delivered[] {
  return list.map((message) => [bodyOf(message), (message.attempts ?? 0) + 1, timestampOf(message)]);
}

/** Starts a broker, and takes everything out of every channel. Channels come by name. */
export async function contentOf({ path }: NsqdData): Promise<Record<string, TopicContent>> {
  const broker = await openBroker({ dataPath: path });
  const topics: Record<string, TopicContent> = {};
  for (const topic of sorted(broker.topics)) {
    const channels: Record<string, ChannelContent> = {};
    for (const channel of sorted(topic.channels)) {
      const { paused, depth } = channel;
      if (paused) channel.pause(false);
      const consumer = new Recorder(channel, depth + 1);
      while (consumer.records.length < depth) await setImmediate();
      for (const { n } of consumer.deliveries) consumer.fin(n);
      await setImmediate();
      channels[channel.name] = { paused, messages: consumer.records };
    }
    topics[topic.name] = { paused: topic.paused, waiting: topic.depth, channels };
  }
  await broker.close();
  return topics;
}

function sorted<T extends { readonly name: string }>(map: ReadonlyMap<string, T>): T[] {
  return [...map.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

class Recorder extends FakeConsumer {
  readonly records: Delivered[] = [];

  override sendRecords(slab: Slab, start: number, end: number, count: number): void {
    for (let at = start; at < end; at += recordLength(slab.buf, at)) {
      this.#note(slab, at, slab.buf.readUInt16BE(at + ATTEMPTS_OFFSET));
    }
    super.sendRecords(slab, start, end, count);
  }

  override sendAgain(slab: Slab, start: number, end: number, attempts: number): void {
    this.#note(slab, start, attempts);
    super.sendAgain(slab, start, end, attempts);
  }

  #note({ buf }: Slab, at: number, attempts: number): void {
    const body = buf.toString('utf8', at + BODY_OFFSET, at + recordLength(buf, at));
    this.records.push([body, attempts, buf.readBigInt64BE(at + TIMESTAMP_OFFSET)]);
  }
}
