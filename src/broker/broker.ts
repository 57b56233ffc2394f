import { isValidName } from '../protocol/names.js';
import { AuthServers } from './auth/auth-servers.js';
import { type Body, encodeBatch, toBuffer } from './body.js';
import { monotonic, wallClock } from './clock.js';
import { Compactor } from './compactor.js';
import { Directory } from './directory/directory.js';
import { Ending } from './ending.js';
import { BrokerError } from './errors.js';
import { experimentWarnings } from './experiments.js';
import type { HttpServer } from './http/server.js';
import { DiskLimit } from './limits/disk-limit.js';
import { StorageHealth, type StoragePart } from './limits/storage-health.js';
import { type Files, REAL_FILES } from './log/files.js';
import { type Stamp, setStamp } from './log/record.js';
import { type Logger, type LogLevel, leveled, SILENT } from './logger.js';
import { resolveOptions } from './options.js';
import { Deadline, Scheduler } from './scheduler.js';
import { Servers } from './servers.js';
import type { BrokerOptions, BrokerSettings } from './settings.js';
import { brokerPrefix } from './statsd/key-prefix.js';
import type { Statsd } from './statsd/statsd.js';
import { Store } from './store.js';
import type { TcpServer } from './tcp/server.js';
import type { ServerTls } from './tls/server-tls.js';
import { rootCa, type TlsRequirement, tlsRequirement } from './tls/tls-settings.js';
import type { Topic } from './topic.js';
import type { TopicHost } from './topic-host.js';
import { Turn } from './turn.js';
import { NSQD_VERSION } from './version.js';

/** Milliseconds until a write that failed is tried again. */
const RECOVERY_INTERVAL = 1000;

/** Topics that are closed at a time. */
const CLOSING_AT_ONCE = 64;

/** A broker: the topics of one data path, and the servers that clients reach them by. */
export class Broker implements TopicHost {
  readonly settings: BrokerSettings;
  readonly logger: Logger;
  readonly scheduler = new Scheduler();
  readonly turn = new Turn(() => this.#store.isHeld);
  readonly topics = new Map<string, Topic>();
  readonly version = NSQD_VERSION;
  readonly startedAt = Date.now();
  readonly tlsRequired: TlsRequirement;
  /** Undefined: everybody may do everything. */
  readonly auth: AuthServers | undefined;
  readonly #servers: Servers;
  #statsd: Statsd | undefined;
  readonly #store: Store;
  readonly #started = monotonic();
  readonly #stamp: Stamp = { hi: 0, lo: 0 };
  readonly #sync: Deadline;
  readonly #directory: Directory;
  readonly #compactor: Compactor;
  #closing: Promise<void> | undefined;
  #isUp = false;
  readonly #ending = new Ending();
  readonly #storageHealth = new StorageHealth(() => this.#healthChanged());
  readonly #recovery: Deadline;
  readonly #disk: DiskLimit;

  /** @param files the file calls that storage makes */
  constructor(options: BrokerOptions, files: Files = REAL_FILES) {
    this.settings = resolveOptions(options);
    this.logger = leveled(options.logger ?? SILENT, () => this.settings.logLevel);
    this.tlsRequired = tlsRequirement(this.settings);
    const authorities = rootCa(this.settings);
    if (this.settings.authHttpAddresses.length > 0) this.auth = new AuthServers(this.settings, authorities);
    this.#store = new Store(this.settings, this.logger, files, (error) => this.#lose(error));
    this.#disk = new DiskLimit(this, this.#storageHealth);
    this.#recovery = new Deadline(() => this.#recover());
    this.#servers = new Servers(this);
    this.#directory = new Directory(this);
    this.#compactor = new Compactor(this);
    this.#sync = new Deadline(() => this.#syncAll());
  }

  get tcp(): TcpServer {
    return this.#servers.tcp;
  }

  get http(): HttpServer {
    return this.#servers.http;
  }

  /** Undefined: TLS is not offered. */
  get tls(): ServerTls | undefined {
    return this.#servers.tls;
  }

  /** Where TCP clients reach it: `host:port` or the path of a unix socket. */
  get tcpAddress(): string {
    return this.#servers.tcpAddress;
  }

  /** Where HTTP clients reach it; empty if they do not. */
  get httpAddress(): string {
    return this.#servers.httpAddress;
  }

  /** Where HTTPS clients reach it; empty if they do not. */
  get httpsAddress(): string {
    return this.#servers.httpsAddress;
  }

  /** The TCP port that clients are told; 0 if there is none. */
  get broadcastTcpPort(): number {
    return this.#servers.broadcastTcpPort;
  }

  /** The HTTP port that clients are told; 0 if there is none. */
  get broadcastHttpPort(): number {
    return this.#servers.broadcastHttpPort;
  }

  /** What keys at statsd begin with. */
  get statsdPrefix(): string {
    const { statsdPrefix, broadcastAddress } = this.settings;
    return brokerPrefix(statsdPrefix, broadcastAddress, this.broadcastHttpPort);
  }

  get dataPath(): string {
    return this.#store.dataPath;
  }

  /** `OK`, or `NOK - ` and what is wrong. */
  get health(): string {
    const error = this.#ending.cause ?? this.#storageHealth.error;
    return error ? `NOK - ${error.message}` : 'OK';
  }

  get healthy(): boolean {
    return (this.#ending.cause ?? this.#storageHealth.error) === undefined;
  }

  /**
   * Settles when it is closed; rejects if it had to stop by itself, because its data path is another broker's now or was
   * moved away: with a BrokerError E_LOCKED.
   */
  get closed(): Promise<void> {
    return this.#ending.promise;
  }

  /** @throws BrokerError E_OPTION, E_DATA_PATH, E_LOCKED, E_FORMAT, E_STORAGE or E_LISTEN */
  async start(): Promise<void> {
    for (const warning of experimentWarnings(this.settings)) this.logger.warn(warning);
    await this.#servers.loadTls();
    await this.#store.open();
    try {
      await this.#store.takeOver();
      for (const topic of this.#store.load(this)) this.topics.set(topic.name, topic);
      await this.#disk.sample();
      await this.#servers.listen();
      this.scheduler.arm(this.#sync, monotonic() + this.settings.syncTimeout);
      this.#compactor.start();
      this.setLookupdTcpAddresses(this.settings.lookupdTcpAddresses);
      this.#directory.resume();
      await this.#startStatsd();
      this.#store.check();
      this.#isUp = true;
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  /** Stops taking, writes what is to be written, closes every connection and lets the data path go. */
  close(): Promise<void> {
    this.#closing ??= this.#close().finally(this.#ending.reached);
    return this.#closing;
  }

  /** The topic of this name, made if there is none. */
  topic(name: string): Topic {
    const existing = this.topics.get(name);
    if (existing) return existing;
    const topic = this.#openTopic(name);
    this.topics.set(name, topic);
    this.#disk.adopt(topic);
    this.logger.info(`TOPIC(${name}): created`);
    this.#directory.created(topic);
    return topic;
  }

  /**
   * Deletes a topic with all its channels and messages. False if there is none of this name.
   * @throws BrokerError E_STORAGE if its files could not be put aside: then it is as it was
   */
  deleteTopic(name: string): boolean {
    const topic = this.topics.get(name);
    if (!topic) return false;
    this.logger.info(`TOPIC(${name}): deleting`);
    const removed = this.#store.setAside(name);
    this.topics.delete(name);
    topic.abandon();
    this.#storageHealth.forget(name);
    if (removed !== '') this.#store.remove(removed, topic.log.segments);
    this.#directory.changed(name);
    return true;
  }

  /**
   * Publishes one message, or several that are kept together or not at all (with `deferMs`, each for itself); resolves
   * when they are as safe as `durability` says.
   * @throws BrokerError E_OPTION for a bad name, size or delay, E_STORAGE if they could not be written, E_LIMIT if the
   * topic or the disk is as full as it may be, E_CLOSING
   */
  async publish(
    topic: string,
    body: Body | readonly Body[],
    options: { deferMs?: number } = {},
  ): Promise<void> {
    if (!isValidName(topic)) throw new BrokerError('E_OPTION', `'${topic}' is no valid topic name`);
    const single = typeof body === 'string' || body instanceof Uint8Array;
    const bodies = (single ? [body] : body).map(toBuffer);
    const { maxMsgSize, maxReqTimeout } = this.settings;
    for (const { length } of bodies) {
      if (length === 0 || length > maxMsgSize) {
        throw new BrokerError('E_OPTION', `a message must have 1 to ${maxMsgSize} bytes, not ${length}`);
      }
    }
    const { deferMs = 0 } = options;
    if (!(deferMs >= 0 && deferMs <= maxReqTimeout)) {
      throw new BrokerError('E_OPTION', `deferMs must be from 0 to ${maxReqTimeout}, not ${deferMs}`);
    }
    await this.publishBodies(topic, bodies, deferMs);
  }

  /** As `publish`, for what was checked already. */
  publishBodies(name: string, bodies: readonly Buffer[], deferMs: number): Promise<void> {
    if (this.#ending.cause) return Promise.reject(this.#ending.cause);
    if (this.#closing) return Promise.reject(new BrokerError('E_CLOSING', 'the broker is closing'));
    if (bodies.length === 0) {
      this.topic(name);
      return Promise.resolve();
    }
    const topic = this.topic(name);
    const stamp = this.stamp();
    let ticket: ReturnType<Topic['publish']> | undefined;
    if (deferMs > 0) {
      for (const it of bodies) {
        ticket = topic.publishDeferred(stamp, it, 0, it.length, Date.now() + deferMs);
        if (ticket.error) break;
      }
    } else if (bodies.length === 1) ticket = topic.publish(stamp, bodies[0]!, 0, bodies[0]!.length);
    else {
      const batch = encodeBatch(bodies);
      ticket = topic.publishBatch(stamp, batch, 0, batch.length, bodies.length);
    }
    if (topic.oksAtOnce && !ticket!.error) return Promise.resolve();
    return new Promise((resolve, reject) => {
      ticket!.whenSettled((cause) => {
        if (cause instanceof BrokerError) reject(cause);
        else if (cause) reject(new BrokerError('E_STORAGE', cause.message, { cause }));
        else resolve();
      });
    });
  }

  /** The time for the messages of one command. */
  stamp(): Stamp {
    setStamp(this.#stamp, wallClock());
    return this.#stamp;
  }

  /**
   * Registers with these lookupds, `<host>:<port>` each, and with no other.
   * @throws BrokerError E_OPTION, and nothing is changed then
   */
  setLookupdTcpAddresses(addresses: readonly string[]): void {
    if (addresses.length > 0 && (this.broadcastTcpPort === 0 || this.broadcastHttpPort === 0)) {
      const words = 'a lookupd is told a TCP and an HTTP port: listen on both, or set their broadcast ports';
      throw new BrokerError('E_OPTION', words);
    }
    this.#directory.setAddresses(addresses);
    this.settings.lookupdTcpAddresses = [...addresses];
  }

  setLogLevel(level: LogLevel): void {
    this.settings.logLevel = level;
  }

  timeoutsFrom(): number {
    const interval = this.settings.queueScanRefreshInterval;
    if (interval === 0) return 0;
    const ticks = Math.floor((monotonic() - this.#started) / interval) + 1;
    return this.#started + ticks * interval;
  }

  channelChanged(topic: Topic): void {
    this.#directory.changed(topic.name);
  }

  topicUnused(topic: Topic): void {
    this.deleteTopic(topic.name);
  }

  storageResult(topic: Topic, part: StoragePart, error: Error | undefined): void {
    this.#storageHealth.result(topic.name, part, error);
    if (!error) return;
    this.#store.tidy(true);
    void this.#disk.sample();
  }

  /** Gives up files that nothing needs: segments with nothing but what is finished, and what is kept to be written over. */
  freeRoom(): void {
    for (const topic of this.topics.values()) if (!topic.ephemeral) topic.retention.reclaim();
    this.#store.tidy(true);
  }

  /** The topic wrote messages: it is synced after so many of them, and else with the next round. */
  wrote(topic: Topic): void {
    if (topic.unsynced >= this.settings.syncEvery) topic.syncSoon();
  }

  #healthChanged(): void {
    const { error } = this.#storageHealth;
    if (error && this.#recovery.index === -1)
      this.scheduler.arm(this.#recovery, monotonic() + RECOVERY_INTERVAL);
    if (!error) this.logger.info('storage is well again');
  }

  /** Tries again what failed: else who asks for its health before publishing would never come back. */
  #recover(): void {
    const health = this.#storageHealth;
    const journals = health.failing('journal');
    if (health.isWriteFailing || journals.length > 0) this.freeRoom();
    for (const name of journals) this.topics.get(name)?.writeJournal();
    for (const name of health.failing('sync')) this.topics.get(name)?.sync();
    if (health.isWriteFailing) {
      try {
        this.#store.probe();
        health.wellAgain();
      } catch (error) {
        this.logger.debug('storage cannot be written to yet', { error });
      }
    }
    if (health.error) this.scheduler.arm(this.#recovery, monotonic() + RECOVERY_INTERVAL);
  }

  #openTopic(name: string): Topic {
    try {
      return this.#store.openTopic(this, name);
    } catch (error) {
      this.#storageHealth.result(name, 'messages', error as Error);
      throw error;
    }
  }

  async #startStatsd(): Promise<void> {
    if (this.settings.statsdAddress === '') return;
    const { Statsd: Pusher } = await import('./statsd/statsd.js');
    this.#statsd = new Pusher(this);
    this.#statsd.start();
  }

  #syncAll(): void {
    for (const topic of this.topics.values()) if (topic.unsynced > 0) topic.sync();
    this.#store.tidy(false);
    this.scheduler.arm(this.#sync, monotonic() + this.settings.syncTimeout);
  }

  /** The data path is not this broker's any more: from now on nothing is written there, and nothing confirmed. */
  #lose(error: BrokerError): void {
    this.#ending.cause = error;
    this.logger.error(`${error.message}: this broker stops, and leaves everything there as it is`);
    this.#servers.cut();
    // A start that is under way fails with the same error.
    if (this.#isUp) setImmediate(() => void this.close());
  }

  async #close(): Promise<void> {
    this.#disk.close();
    const withdrawn = this.#directory.close();
    if (this.#ending.cause) await this.#closeTopics();
    await withdrawn;
    await this.#compactor.close();
    await Promise.all([this.#servers.close(), this.#statsd?.close()]);
    this.turn.run();
    await this.#closeTopics();
    this.scheduler.close();
    await this.#store.close();
    this.logger.info('closed');
  }

  /** Some at a time: else the event loop would be held for as long as there are many. */
  async #closeTopics(): Promise<void> {
    const topics = this.topics.values();
    const next = async (): Promise<void> => {
      for (const topic of topics) {
        if (this.#ending.cause) topic.abandon(this.#ending.cause);
        else await topic.close();
      }
    };
    await Promise.all(Array.from({ length: CLOSING_AT_ONCE }, next));
  }
}
