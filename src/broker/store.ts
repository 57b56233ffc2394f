import { existsSync, mkdtempSync, rmdirSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { isEphemeral, isValidName } from '../protocol/names.js';
import { DataLock } from './data-lock.js';
import { BrokerError, messageOf } from './errors.js';
import { segmentSize } from './limits/topic-limits.js';
import { type Files, isKind, REAL_FILES, syncDirectory, writeFully } from './log/files.js';
import { guardedFiles } from './log/guarded-files.js';
import { IdSource } from './log/id-source.js';
import { restoreEntries, takeName } from './log/new-entries.js';
import { openSegments } from './log/open.js';
import type { Segment } from './log/segment.js';
import { SegmentList } from './log/segment-list.js';
import { SlabCache } from './log/slab-cache.js';
import { SpareFiles } from './log/spare-files.js';
import { TopicLog } from './log/topic-log.js';
import type { Logger } from './logger.js';
import type { BrokerSettings } from './settings.js';
import { Journal } from './state/journal.js';
import { readJournal } from './state/journal-files.js';
import type { TakeoverReport } from './takeover/report.js';
import { takeOver } from './takeover/takeover.js';
import { Topic } from './topic.js';
import type { TopicHost } from './topic-host.js';

/** Everything is kept below this directory of the data path. */
const ROOT = 'nsq-data';
const TOPICS = 'topics';
const SPARES = 'spare';
/** A topic's directory is its name with this; names may be `.` and `..`. */
const SUFFIX = '.topic';
const PROBE = 'probe';
const PROBE_BYTES = Buffer.alloc(64 * 1024);
/** What a topic's directory is called while it is being removed. */
const REMOVED = '.removed';

/**
 * The data path: which topics are on disk, and where.
 *
 *     <data-path>/nsq-data/lock
 *     <data-path>/nsq-data/spare/                                     files to be written over
 *     <data-path>/nsq-data/topics/<name>.topic/<number>-<seed>.log    segments
 *                                             /journal.<generation>   channels and what they finished
 */
export class Store {
  #dataPath: string;
  readonly #temporary: boolean;
  readonly #files: Files;
  readonly #onLost: (error: BrokerError) => void;
  readonly #logger: Logger;
  readonly #settings: BrokerSettings;
  readonly #cache: SlabCache;
  readonly #ids: IdSource;
  #lock: DataLock | undefined;
  #spares: SpareFiles | undefined;
  /** Topics removed since the start, and those of which files are being removed. */
  #removals = 0;
  readonly #removing = new Set<Promise<void>>();

  /** @param onLost is told when the data path is no longer this broker's: from then on nothing is written there */
  constructor(
    settings: BrokerSettings,
    logger: Logger,
    files: Files = REAL_FILES,
    onLost: (error: BrokerError) => void = () => {},
  ) {
    this.#temporary = settings.dataPath === '';
    this.#dataPath = settings.dataPath;
    this.#settings = settings;
    this.#files = guardedFiles(files, this);
    this.#onLost = onLost;
    this.#logger = logger;
    this.#cache = new SlabCache(settings.cacheSize);
    this.#ids = new IdSource(settings.nodeId);
  }

  /** The data path as given, or the temporary one, which is made when the store is opened. */
  get dataPath(): string {
    return this.#dataPath;
  }

  /** Whether the data path is still this broker's, as far as the system tells. */
  get isHeld(): boolean {
    return this.#lock?.lease.isHeld() ?? true;
  }

  /** @throws BrokerError E_LOCKED if the data path is no longer this broker's, E_STORAGE if the system does not tell */
  check(anew = false): void {
    this.#lock?.lease.check(anew);
  }

  /**
   * Takes the data path for this broker alone.
   * @throws BrokerError E_DATA_PATH or E_LOCKED
   */
  async open(): Promise<void> {
    if (this.#temporary) this.#dataPath = mkdtempSync(join(tmpdir(), 'nsq-'));
    if (!existsSync(this.dataPath)) {
      throw new BrokerError('E_DATA_PATH', `data path '${this.dataPath}' does not exist`);
    }
    try {
      this.#files.mkdirSync(this.#topicsPath);
    } catch (cause) {
      throw new BrokerError(
        'E_DATA_PATH',
        `cannot write to data path '${this.dataPath}': ${messageOf(cause)}`,
        { cause },
      );
    }
    this.#syncDirectories();
    this.#lock = await DataLock.take(join(this.dataPath, ROOT), this.dataPath, {
      logger: this.#logger,
      onLost: this.#onLost,
    });
    const spares = join(this.dataPath, ROOT, SPARES);
    this.#spares = new SpareFiles(spares, this.#logger, segmentSize(this.#settings), this);
  }

  /** What is in a directory whose own entry is not durable is not durable either. */
  #syncDirectories(): void {
    try {
      for (const path of ['', ROOT, join(ROOT, TOPICS)])
        syncDirectory(this.#files, join(this.dataPath, path));
    } catch (cause) {
      const words = `cannot sync the directories of data path '${this.dataPath}': ${messageOf(cause)}`;
      if (this.#settings.durability === 'fsync') throw new BrokerError('E_DATA_PATH', words, { cause });
      this.#logger.warn(words);
    }
  }

  /**
   * Imports what nsqd left in the data path; to be called before `load`.
   * @throws BrokerError E_LOCKED, E_FORMAT or E_STORAGE
   */
  async takeOver(): Promise<TakeoverReport> {
    restoreEntries(this.#files, this.#topicsPath);
    return takeOver({
      files: this.#files,
      ids: this.#ids,
      logger: this.#logger,
      dataPath: this.dataPath,
      topicsPath: this.#topicsPath,
      suffix: SUFFIX,
      maxBytesPerFile: this.#settings.maxBytesPerFile,
      maxMsgSize: this.#settings.maxMsgSize,
    });
  }

  /** Opens every topic on disk, as it was left. */
  load(host: TopicHost): Topic[] {
    const topics: Topic[] = [];
    for (const entry of restoreEntries(this.#files, this.#topicsPath)) {
      if (entry.endsWith(REMOVED)) this.#clean(join(this.#topicsPath, entry));
      const name = entry.endsWith(SUFFIX) ? entry.slice(0, -SUFFIX.length) : '';
      if (!isValidName(name) || isEphemeral(name)) continue;
      if (isKind(this.#directoryOf(name), (stats) => stats.isDirectory()))
        topics.push(this.openTopic(host, name));
      else this.#logger.warn(`${this.#directoryOf(name)} is no directory: it is left out`);
    }
    return topics;
  }

  /** Opens a topic, or begins it. An ephemeral one is in memory only. */
  openTopic(host: TopicHost, name: string): Topic {
    const context = {
      files: this.#files,
      cache: this.#cache,
      logger: this.#logger,
      maxBytesPerFile: segmentSize(this.#settings),
      ...(this.#spares && { spares: this.#spares }),
    };
    if (isEphemeral(name))
      return new Topic(host, name, new TopicLog(context, '', new SegmentList(this.#ids, [])));
    const directory = this.#directoryOf(name);
    let isMade = false;
    try {
      this.check(true);
      // Made again by itself, it would not be locked.
      if (!existsSync(this.#topicsPath)) throw new Error(`${this.#topicsPath} was removed by somebody else`);
      const isNew = !existsSync(directory);
      this.#files.mkdirSync(directory);
      isMade = isNew;
      const segments = openSegments(this.#files, directory, this.#ids, this.#logger);
      const { state, generation } = readJournal(this.#files, directory, segments, this.#logger);
      const topic = new Topic(
        host,
        name,
        new TopicLog(context, directory, segments),
        (snapshot) => new Journal(this.#files, directory, generation, this.#logger, snapshot),
      );
      topic.restore(state);
      return topic;
    } catch (cause) {
      if (isMade) unmake(directory);
      if (cause instanceof BrokerError) throw cause;
      throw new BrokerError('E_STORAGE', `cannot open topic '${name}': ${messageOf(cause)}`, { cause });
    }
  }

  /**
   * Writes something, to find out whether that works again.
   * @throws what the file system said
   */
  probe(): void {
    const path = join(this.dataPath, ROOT, PROBE);
    const fd = this.#files.openSync(path, 'w');
    try {
      writeFully(this.#files, fd, PROBE_BYTES, 0, PROBE_BYTES.length, 0);
    } finally {
      this.#files.closeSync(fd);
      this.#files.unlinkSync(path);
    }
  }

  /** Gives up files that are kept to be written over: all of them, or those that were not needed for long. */
  tidy(all: boolean): void {
    if (!this.isHeld) return;
    if (all) this.#spares?.clear();
    else this.#spares?.expire();
  }

  /**
   * Renames a topic's directory, so that a start does not find it any more. Where it is then; empty if there is none.
   * @throws BrokerError E_STORAGE
   */
  setAside(name: string): string {
    if (isEphemeral(name)) return '';
    const directory = this.#directoryOf(name);
    try {
      if (!existsSync(directory)) takeName(this.#files, directory);
      for (;;) {
        const removed = `${directory}.${this.#removals++}${REMOVED}`;
        // One that an earlier start could not remove has its number.
        if (existsSync(removed)) continue;
        this.#files.renameSync(directory, removed);
        return removed;
      }
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return '';
      throw new BrokerError('E_STORAGE', `cannot delete topic '${name}': ${messageOf(cause)}`, { cause });
    }
  }

  /** Removes what was set aside. @param segments those of the topic's log, which is closed */
  remove(removed: string, segments: Iterable<Segment>): void {
    for (const segment of segments) this.#keepFile(segment, removed);
    const removing = rm(removed, { recursive: true, force: true })
      .catch((error: unknown) => this.#logger.warn(`cannot remove ${removed}`, { error }))
      .finally(() => this.#removing.delete(removing));
    this.#removing.add(removing);
  }

  #clean(path: string): void {
    try {
      this.#files.rmSync(path);
    } catch (error) {
      this.#logger.warn(`cannot remove ${path}`, { error });
    }
  }

  /** Keeps a segment's file to be written over, if nobody uses it and it is there. */
  #keepFile(segment: Segment, directory: string): void {
    const path = join(directory, basename(segment.path));
    try {
      if (!segment.isBusy && existsSync(path)) this.#spares?.retire(path, segment.size);
    } catch (error) {
      this.#logger.debug(`cannot keep ${path}`, { error });
    }
  }

  /** Lets the data path go when nothing is being removed from it any more; a temporary one is removed. */
  async close(): Promise<void> {
    await Promise.all(this.#removing);
    const isOwn = this.isHeld;
    if (isOwn) this.#spares?.close();
    await this.#lock?.release();
    if (this.#temporary && isOwn) await rm(this.dataPath, { recursive: true, force: true });
  }

  get #topicsPath(): string {
    return join(this.dataPath, ROOT, TOPICS);
  }

  #directoryOf(name: string): string {
    return join(this.#topicsPath, name + SUFFIX);
  }
}

/** Removes the directory of a topic that could not be made; nothing is in it. */
function unmake(directory: string): void {
  try {
    rmdirSync(directory);
  } catch {
    // It may not be there, or somebody has put something into it.
  }
}
