import type { Consumer } from '../../../src/broker/delivery/consumer.js';
import type { Files } from '../../../src/broker/log/files.js';
import { IdSource } from '../../../src/broker/log/id-source.js';
import { openSegments } from '../../../src/broker/log/open.js';
import type { Slab } from '../../../src/broker/log/slab.js';
import { SlabCache } from '../../../src/broker/log/slab-cache.js';
import { TopicLog } from '../../../src/broker/log/topic-log.js';
import { resolveOptions } from '../../../src/broker/options.js';
import { Scheduler } from '../../../src/broker/scheduler.js';
import { Journal } from '../../../src/broker/state/journal.js';
import { readJournal } from '../../../src/broker/state/journal-files.js';
import { Topic } from '../../../src/broker/topic.js';
import type { TopicHost } from '../../../src/broker/topic-host.js';
import { Turn } from '../../../src/broker/turn.js';
import { DIRECTORY, type LoggerNotes } from '../../broker/log/support/logs.js';
import { takeFrames } from '../../support/wire.js';

let now = Date.UTC(2026, 0, 1);

/** Opens the topic in `DIRECTORY`, as a broker's start does. Each start is some time after the one before. */
export function openTopic(
  files: Files,
  maxBytesPerFile: number,
  logger: LoggerNotes,
  storageResult: TopicHost['storageResult'] = () => {},
): { topic: Topic; scheduler: Scheduler } {
  now += 60_000;
  const started = now;
  const scheduler = new Scheduler();
  const host: TopicHost = {
    settings: resolveOptions({}),
    scheduler,
    turn: new Turn(),
    logger,
    timeoutsFrom: () => 0,
    channelChanged: () => {},
    topicUnused: () => {},
    storageResult,
    wrote: () => {},
  };
  const segments = openSegments(files, DIRECTORY, new IdSource(1, () => started), logger);
  const { state, generation } = readJournal(files, DIRECTORY, segments, logger);
  const log = new TopicLog(
    { files, cache: new SlabCache(300_000), logger, maxBytesPerFile },
    DIRECTORY,
    segments,
  );
  const topic = new Topic(
    host,
    't',
    log,
    (snapshot) => new Journal(files, DIRECTORY, generation, logger, snapshot),
  );
  topic.restore(state);
  return { topic, scheduler };
}

export interface Delivery {
  channel: string;
  body: string;
  attempts: number;
  n: number;
}

/** A consumer that says what it is given. */
export class Reader implements Consumer {
  readonly place = { topologyZone: '', topologyRegion: '' };
  readonly sampleRate = 0;
  readonly msgTimeout = 60_000;
  ready = 1000;
  readonly #topic: Topic;
  readonly #channel: string;
  readonly #seen: (delivery: Delivery) => void;

  constructor(topic: Topic, channel: string, seen: (delivery: Delivery) => void) {
    this.#topic = topic;
    this.#channel = channel;
    this.#seen = seen;
  }

  capacity(): number {
    return this.ready;
  }

  sendRecords(slab: Slab, start: number, end: number, _count: number): void {
    this.#take(Buffer.from(slab.buf.subarray(start, end)), 0);
  }

  sendAgain(slab: Slab, start: number, end: number, attempts: number): void {
    this.#take(Buffer.from(slab.buf.subarray(start, end)), attempts);
  }

  messagesGone(): void {}
  channelClosed(): void {}

  #take(bytes: Buffer, attempts: number): void {
    for (const frame of takeFrames(bytes, 'typed').frames) {
      if (frame.type !== 'message') continue;
      const [hi, lo] = [0, 8].map((at) => Number.parseInt(frame.id.slice(at, at + 8), 16));
      this.#seen({
        channel: this.#channel,
        body: frame.body.toString('latin1').trimEnd(),
        attempts: attempts || frame.attempts,
        n: this.#topic.log.segments.numberOf(hi!, lo!),
      });
    }
  }
}
