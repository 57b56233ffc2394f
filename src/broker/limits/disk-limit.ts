import { statfs } from 'node:fs/promises';
import { monotonic } from '../clock.js';
import { BrokerError } from '../errors.js';
import type { Segment } from '../log/segment.js';
import type { Logger } from '../logger.js';
import { Deadline, type Scheduler } from '../scheduler.js';
import type { BrokerSettings } from '../settings.js';
import type { Topic } from '../topic.js';
import { type DiskSpace, describeExcess, excessOver, type HighWater, parseHighWater } from './high-water.js';
import type { StorageHealth } from './storage-health.js';

/** It is looked how full the file system is this often (ms). */
const INTERVAL = 200;

interface DiskLimitHost {
  readonly settings: BrokerSettings;
  readonly scheduler: Scheduler;
  readonly logger: Logger;
  readonly topics: ReadonlyMap<string, Topic>;
  readonly dataPath: string;
  /** Gives up files that are kept although nothing is in them. */
  freeRoom(): void;
}

/** Looks how full the data path's file system is, and refuses publishes or drops the oldest messages above a mark. */
export class DiskLimit {
  readonly #host: DiskLimitHost;
  readonly #health: StorageHealth;
  readonly #mark: HighWater | undefined;
  readonly #read: (path: string) => Promise<DiskSpace>;
  readonly #deadline = new Deadline(() => void this.sample());
  #sampling = false;
  #closed = false;
  #refusal: BrokerError | undefined;

  constructor(host: DiskLimitHost, health: StorageHealth, read = readSpace) {
    this.#host = host;
    this.#health = health;
    this.#mark = parseHighWater(host.settings.diskHighWater);
    this.#read = read;
  }

  /** A topic was made: it takes no messages either while none does. */
  adopt(topic: Topic): void {
    if (this.#refusal) topic.limits.diskFull = this.#refusal;
  }

  /** Looks now, and from then on again and again. Without a mark it never does. */
  async sample(): Promise<void> {
    if (!this.#mark || this.#sampling || this.#closed) return;
    this.#sampling = true;
    const { dataPath, logger, scheduler } = this.#host;
    try {
      let space = await this.#read(dataPath);
      if (excessOver(this.#mark, space) > 0) {
        this.#host.freeRoom();
        space = await this.#read(dataPath);
      }
      if (!this.#closed) this.#apply(this.#mark, space);
    } catch (error) {
      logger.error(`cannot tell how full the file system of ${dataPath} is`, { error });
    }
    this.#sampling = false;
    if (!this.#closed) scheduler.arm(this.#deadline, monotonic() + INTERVAL);
  }

  close(): void {
    this.#closed = true;
    this.#host.scheduler.disarm(this.#deadline);
  }

  #apply(mark: HighWater, space: DiskSpace): void {
    const { settings, dataPath } = this.#host;
    let excess = excessOver(mark, space);
    if (excess > 0 && settings.onLimit === 'drop-oldest') excess -= this.#dropOldest(excess);
    if (excess <= 0) return this.#refuse(undefined);
    const words = `the file system of ${dataPath} is too full: ${describeExcess(mark, space)}`;
    this.#refuse(new BrokerError('E_LIMIT', words));
  }

  #refuse(refusal: BrokerError | undefined): void {
    const { topics, logger } = this.#host;
    if (!this.#refusal && !refusal) return;
    if (!this.#refusal) logger.error(`messages are refused: ${refusal?.message}`);
    if (!refusal) logger.info('messages are taken again: the file system is less full');
    this.#refusal = refusal;
    this.#health.full(refusal);
    for (const topic of topics.values()) topic.limits.diskFull = refusal;
  }

  /** Drops segments over all topics, the oldest first, until so many bytes are freed; how many were. */
  #dropOldest(bytes: number): number {
    let freed = 0;
    while (freed < bytes) {
      const oldest = this.#oldest(true) ?? this.#oldest(false);
      if (!oldest) break;
      const { topic, segment } = oldest;
      if (!segment.sealed) topic.log.seal();
      freed += segment.size;
      topic.limits.dropSegment(segment);
    }
    this.#host.freeRoom();
    return freed;
  }

  /** The topic whose first segment was begun first. One that is still being written comes last. */
  #oldest(sealed: boolean): { topic: Topic; segment: Segment } | undefined {
    let oldest: { topic: Topic; segment: Segment } | undefined;
    for (const topic of this.#host.topics.values()) {
      const segment = topic.log.segments.first;
      if (topic.ephemeral || !segment || segment.size === 0 || segment.sealed !== sealed) continue;
      if (!sealed && topic.log.dirty) continue;
      if (!oldest || segment.created < oldest.segment.created) oldest = { topic, segment };
    }
    return oldest;
  }
}

async function readSpace(path: string): Promise<DiskSpace> {
  const { blocks, bfree, bavail, bsize } = await statfs(path);
  return { used: (blocks - bfree) * bsize, available: bavail * bsize };
}
