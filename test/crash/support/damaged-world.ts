import { vi } from 'vitest';
import {
  BLOCK_HEADER_SIZE,
  BlockFlag,
  blockCount,
  blockFirst,
  blockFlags,
  blockLength,
} from '../../../src/broker/log/block.js';
import { SEGMENT_HEADER_SIZE } from '../../../src/broker/log/segment.js';
import type { Topic } from '../../../src/broker/topic.js';
import { batchBody, LoggerNotes, STAMP } from '../../broker/log/support/logs.js';
import { MemoryFiles } from '../../broker/log/support/memory-files.js';
import type { Random } from '../harness/random.js';
import { type Delivery, openTopic, Reader } from './memory-topic.js';

const CHANNELS = ['a', 'b', 'c'];
const HOUR = 3_600_000;
const ROUNDS = 12;
const HEADER_COPY = SEGMENT_HEADER_SIZE / 2;
/** What a finished segment file ends with, twice. */
const TRAILER_SIZE = 36;
const TRAILER_MAGIC = 'NSQFOOT3';

/** A byte of a file. */
interface Place {
  readonly path: string;
  readonly offset: number;
}

/** A block of a segment file: which bytes it has and which messages are in it. */
interface Block {
  readonly from: number;
  readonly to: number;
  readonly first: number;
  readonly count: number;
}

/** Messages are `m<number>`; what each channel has finished is known, all others are to be delivered. */
export interface World {
  readonly files: MemoryFiles;
  readonly maxBytesPerFile: number;
  readonly published: number;
  readonly finished: ReadonlyMap<string, ReadonlySet<number>>;
  /** Those that are due in an hour. */
  readonly later: ReadonlySet<number>;
  readonly paused: ReadonlySet<string>;
  /** The messages that damaged bytes of segment files may cost, all together. */
  costOf(places: readonly Place[]): ReadonlySet<number>;
  /** The messages that a cut of a segment file may cost. */
  costOfCut(place: Place): ReadonlySet<number>;
}

/** A turn of the event loop, in which a millisecond passes: timers are to be vitest's, so that a seed brings all back. */
async function tick(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
  vi.advanceTimersByTime(1);
}

/** A topic with history: segments, journals, messages of all sizes, deferred, finished and given back. */
export async function makeWorld(
  random: Random,
  { maxBytesPerFile, closed }: { maxBytesPerFile: number; closed: boolean },
): Promise<World> {
  const files = new MemoryFiles();
  const finished = new Map(CHANNELS.map((name) => [name, new Set<number>()]));
  const later = new Set<number>();
  const paused = new Set<string>();
  let published = 0;
  let { topic, scheduler } = openTopic(files, maxBytesPerFile, new LoggerNotes());
  const bodyOf = (size: number): string => `m${published++}`.padEnd(size);
  for (let round = 0; round < ROUNDS; round++) {
    const readers: Reader[] = [];
    const inHand: (Delivery & { reader: Reader })[] = [];
    for (const name of CHANNELS) {
      const channel = topic.channel(name);
      if (random.chance(0.2)) {
        channel.pause(!channel.paused);
        if (channel.paused) paused.add(name);
        else paused.delete(name);
      }
      const reader = new Reader(topic, name, (delivery) => inHand.push({ ...delivery, reader }));
      readers.push(reader);
      channel.addConsumer(reader);
    }
    for (let i = random.int(1, 5); i > 0; i--) {
      const size = random.chance(0.1) ? random.int(30_000, 90_000) : random.int(3, 400);
      if (random.chance(0.2)) {
        const isLater = random.chance(0.3);
        if (isLater) later.add(published);
        const body = Buffer.from(bodyOf(random.int(3, 400)));
        topic.publishDeferred(STAMP, body, 0, body.length, Date.now() + (isLater ? HOUR : 1));
      } else if (random.chance(0.5)) {
        const body = Buffer.from(bodyOf(size));
        topic.publish(STAMP, body, 0, body.length);
      } else {
        const bodies = Array.from({ length: random.int(2, 6) }, () => bodyOf(size));
        const body = batchBody(bodies);
        topic.publishBatch(STAMP, body, 0, body.length, bodies.length);
      }
      await tick();
    }
    await tick();
    for (const { channel, n, reader } of inHand) {
      if (random.chance(0.3)) topic.channel(channel).requeue(reader, n, random.int(0, 1));
      else if (random.chance(0.7) && topic.channel(channel).finish(reader, n)) finished.get(channel)!.add(n);
    }
    for (const [at, name] of CHANNELS.entries()) topic.channel(name).removeConsumer(readers[at]!);
    await tick();
    await tick();
    if (random.chance(0.3)) {
      scheduler.close();
      await topic.close();
      ({ topic, scheduler } = openTopic(files, maxBytesPerFile, new LoggerNotes()));
    }
  }
  const blocks = blocksOf(topic, files);
  if (closed) await topic.close();
  const copy = files.clone();
  scheduler.close();
  topic.log.abandon();
  const costOf = (places: readonly Place[]): ReadonlySet<number> => {
    const cost = [...blocks].flatMap(([path, batches]) => {
      const hits = places.filter((it) => it.path === path);
      // What stands there twice is gone if both are hit.
      const isGone = [0, 1].every((half) =>
        hits.some(({ offset }) => Math.floor(offset / HEADER_COPY) === half),
      );
      if (isGone) return batches.flat();
      return isFinished(copy.get(path), hits)
        ? batches.flat().filter((it) => isHit(it, hits))
        : costOfTail(batches, hits);
    });
    return messagesOf(cost);
  };
  const costOfCut = ({ path, offset }: Place): ReadonlySet<number> =>
    messagesOf((blocks.get(path) ?? []).filter((it) => it.some(({ to }) => offset < to)).flat());
  return { files: copy, maxBytesPerFile, published, finished, later, paused, costOf, costOfCut };
}

/** Whether a segment file still says where it ends: it does so twice. */
function isFinished(file: Buffer, hits: readonly Place[]): boolean {
  const copies = [2, 1].map((at) => file.length - at * TRAILER_SIZE);
  return copies.some(
    (from) =>
      file.toString('latin1', from, from + TRAILER_MAGIC.length) === TRAILER_MAGIC &&
      !hits.some(({ offset }) => offset >= from && offset < from + TRAILER_SIZE),
  );
}

function messagesOf(blocks: readonly Block[]): Set<number> {
  return new Set(blocks.flatMap(({ first, count }) => Array.from({ length: count }, (_, i) => first + i)));
}

function isHit({ from, to }: Block, hits: readonly Place[]): boolean {
  return hits.some(({ offset }) => offset >= from && offset < to);
}

/**
 * Of a file that is not finished, a damaged end cannot be told from a torn one. So a batch goes as a whole if its last
 * block is hit and those after it cannot be seen for what they are, which is for their headers to say.
 */
function costOfTail(batches: readonly Block[][], hits: readonly Place[]): Block[] {
  const seen = batches.findLastIndex((batch) =>
    batch.some((block) => !isHit({ ...block, to: block.from + BLOCK_HEADER_SIZE }, hits)),
  );
  return batches.flatMap((batch, at) =>
    at >= seen && isHit(batch.at(-1)!, hits) ? batch : batch.filter((block) => isHit(block, hits)),
  );
}

/** The blocks of each segment file, by batch. */
function blocksOf(topic: Topic, files: MemoryFiles): Map<string, Block[][]> {
  const found = new Map<string, Block[][]>();
  for (const { path, size } of topic.log.segments) {
    if (size === 0) continue;
    const buf = files.get(path);
    const batches: Block[][] = [[]];
    for (let at = SEGMENT_HEADER_SIZE; at < SEGMENT_HEADER_SIZE + size; at += blockLength(buf, at)) {
      const to = at + blockLength(buf, at);
      batches.at(-1)!.push({ from: at, to, first: blockFirst(buf, at), count: blockCount(buf, at) });
      if (blockFlags(buf, at) & BlockFlag.BatchEnd && to - at > BLOCK_HEADER_SIZE) batches.push([]);
    }
    found.set(
      path,
      batches.filter((batch) => batch.length > 0),
    );
  }
  return found;
}

export interface Demand {
  /** Messages that need not come. */
  readonly lost: ReadonlySet<number>;
  /** Whether what was finished may come again. */
  readonly mayRepeat: boolean;
  /** Whether channels and pauses must be as they were. */
  readonly needsChannels: boolean;
}

const DRAIN_MS = 5000;
const MOST_FAULTS = 3;
/** What is published when all is taken out. */
const AFTER = 'after';

/** Starts on files that are no longer what they were, takes everything out, and says what is wrong. */
export async function faultsOf(world: World, files: MemoryFiles, demand: Demand): Promise<string[]> {
  const { maxBytesPerFile, published, finished, later, paused } = world;
  const faults: string[] = [];
  const logger = new LoggerNotes();
  const { topic, scheduler } = openTopic(files, maxBytesPerFile, logger);
  const wanted = demand.needsChannels ? CHANNELS : [...topic.channels.keys()];
  const seen = new Map<string, Set<number>>();
  for (const name of wanted) {
    const channel = topic.channels.get(name);
    if (!channel) {
      faults.push(`channel ${name} is gone`);
      continue;
    }
    if (demand.needsChannels && channel.paused !== paused.has(name)) faults.push(`${name} is paused or not`);
    const numbers = new Set<number>();
    seen.set(name, numbers);
    channel.pause(false);
    const reader = new Reader(topic, name, ({ body, n }) => {
      if (body === AFTER) return;
      if (body !== `m${n}`) faults.push(`message ${n} of ${name} is ${body.slice(0, 20)}`);
      if (numbers.has(n)) faults.push(`message ${n} of ${name} came twice`);
      if (finished.get(name)!.has(n) && !demand.mayRepeat)
        faults.push(`message ${n} of ${name} was finished`);
      numbers.add(n);
      setImmediate(() => channel.finish(reader, n));
    });
    channel.addConsumer(reader);
    channel.schedule();
  }
  topic.pause(false);
  const left = (): number =>
    [...topic.channels.values()].reduce((sum, { depth, inFlightCount }) => sum + depth + inFlightCount, 0);
  const end = Date.now() + DRAIN_MS;
  do {
    while (left() > 0 && Date.now() < end) await tick();
    // What is due now comes by a timer.
    for (let i = 0; i < 3; i++) await tick();
  } while (left() > 0 && Date.now() < end);
  if (left() > 0) faults.push(`${left()} messages stay`);
  for (const [name, numbers] of seen) {
    for (let n = 0; n < published; n++) {
      if (numbers.has(n) || later.has(n) || demand.lost.has(n) || finished.get(name)!.has(n)) continue;
      faults.push(`message ${n} of ${name} is missing`);
    }
    const waiting = [...later].filter((n) => !demand.lost.has(n)).length;
    if (topic.channels.get(name)!.deferredCount < waiting) faults.push(`${name} has lost deferred messages`);
  }
  const body = Buffer.from(AFTER);
  const ticket = topic.publish(STAMP, body, 0, body.length);
  const error = await new Promise<Error | undefined>((resolve) => ticket.whenSettled(resolve));
  if (error) faults.push(`not written: ${error.message}`);
  scheduler.close();
  await topic.close();
  if (files.openCount > 0) faults.push(`${files.openCount} files stay open`);
  return faults.length > 0 ? [...faults.slice(0, MOST_FAULTS), ...logger.lines] : faults;
}
