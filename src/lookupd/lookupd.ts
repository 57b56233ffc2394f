import { performance } from 'node:perf_hooks';
import { ListenError, listen } from '../daemon/listen.js';
import { type Logger, leveled, SILENT } from '../daemon/logger.js';
import { LookupdError } from './errors.js';
import { LookupdHttpServer } from './http/server.js';
import { type LookupdOptions, type LookupdSettings, resolveLookupdOptions } from './options.js';
import { RegistrationDb } from './registration-db.js';
import { TcpServer } from './tcp/server.js';
import { Watchers } from './watchers.js';

/** Longest delay that a timer takes. */
const MAX_TIMER = 2 ** 31 - 1;

/** Milliseconds since 1970 that never go back, with their fraction. */
const now = (): number => performance.timeOrigin + performance.now();

/** A directory of who produces what: brokers register by TCP, everybody asks by HTTP. */
export class Lookupd {
  readonly settings: LookupdSettings;
  readonly logger: Logger;
  readonly db: RegistrationDb;
  readonly watchers: Watchers;
  readonly #tcp: TcpServer;
  readonly #http: LookupdHttpServer;
  #tcpAddress = '';
  #httpAddress = '';
  #timer: NodeJS.Timeout | undefined;
  #timerAt = Number.POSITIVE_INFINITY;
  #closing: Promise<void> | undefined;

  /** @throws LookupdError E_OPTION */
  constructor(options: LookupdOptions) {
    this.settings = resolveLookupdOptions(options);
    this.logger = leveled(options.logger ?? SILENT, () => this.settings.logLevel);
    this.watchers = new Watchers(this.settings.maxWatchers);
    this.db = new RegistrationDb({
      now,
      inactiveTimeout: this.settings.inactiveProducerTimeout,
      tombstoneLifetime: this.settings.tombstoneLifetime,
      // A watcher may bring an index of the lookupd that ran here before: no index is given out twice.
      firstVersion: Math.floor(now()) * 1000,
      onChange: (topic) => this.watchers.changed(topic),
    });
    this.#tcp = new TcpServer(this);
    this.#http = new LookupdHttpServer(this);
  }

  /** Where it listens for brokers: `host:port`, or the path of a unix socket. */
  get tcpAddress(): string {
    return this.#tcpAddress;
  }

  /** Where it listens for HTTP clients. */
  get httpAddress(): string {
    return this.#httpAddress;
  }

  /** 0 for a unix socket. */
  get tcpPort(): number {
    return portOf(this.#tcpAddress);
  }

  /** 0 for a unix socket. */
  get httpPort(): number {
    return portOf(this.#httpAddress);
  }

  /** @throws LookupdError E_OPTION or E_LISTEN */
  async start(): Promise<void> {
    try {
      this.#tcpAddress = await listen(this.#tcp.server, this.settings.tcpAddress, 'TCP');
      this.logger.info(`TCP: listening on ${this.#tcpAddress}`);
      this.#httpAddress = await listen(this.#http.server, this.settings.httpAddress, 'HTTP');
      this.logger.info(`HTTP: listening on ${this.#httpAddress}`);
    } catch (error) {
      await this.close();
      if (!(error instanceof ListenError)) throw error;
      throw new LookupdError(error.code, error.message, { cause: error.cause ?? error });
    }
  }

  /** Stops listening, answers those that wait, and closes all connections. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  /**
   * Resolves when a look-up of the topic answers something else, after `ms`, or when its client has gone. What time
   * alone changes is looked for while somebody waits, by one timer.
   */
  watch(topic: string, ms: number, onClosed: (listener: () => void) => void): Promise<void> {
    const waiting = this.watchers.wait(topic, ms, onClosed);
    this.armTimer();
    return waiting;
  }

  /** To be called when the next change by time may have come nearer. */
  armTimer(): void {
    const deadline = this.watchers.size === 0 ? undefined : this.db.nextDeadline();
    if (deadline === undefined || deadline >= this.#timerAt || this.#closing) return;
    clearTimeout(this.#timer);
    this.#timerAt = deadline;
    this.#timer = setTimeout(
      () => {
        this.#timerAt = Number.POSITIVE_INFINITY;
        this.db.settle();
        this.armTimer();
      },
      Math.min(Math.max(1, Math.ceil(deadline - now()) + 1), MAX_TIMER),
    );
    this.#timer.unref();
  }

  async #close(): Promise<void> {
    clearTimeout(this.#timer);
    this.watchers.close();
    await Promise.all([this.#tcp.close(), this.#http.close()]);
    this.logger.info('closed');
  }
}

function portOf(address: string): number {
  return Number(/:(\d+)$/.exec(address)?.[1] ?? 0);
}
