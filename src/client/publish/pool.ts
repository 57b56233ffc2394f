import type { Address } from '../address.js';
import { Discovery } from '../discovery/discovery.js';
import type { LookupUrl } from '../discovery/lookup-url.js';
import type { LookupdSettings } from '../discovery/lookupd.js';
import { type BrokerError, ConnectionError, type LookupError } from '../errors.js';
import type { ConnectionSettings } from '../options.js';
import { Node, type NodeHost } from './node.js';

/** What a {@link Pool} tells its producer. */
export interface PoolHost {
  connected(address: string): void;
  disconnected(address: string, error: BrokerError | ConnectionError): void;
  retrying(address: string, error: BrokerError | ConnectionError, delay: number): void;
  /** There may be a node to send to. */
  available(): void;
  lookupAnswered(lookupd: string, nsqds: readonly string[]): void;
  lookupFailed(lookupd: string, error: LookupError, delay: number): void;
}

/** The nsqds that are published to: those named, and those that lookupds list. */
export class Pool implements NodeHost {
  readonly #settings: ConnectionSettings;
  readonly #host: PoolHost;
  readonly #named: ReadonlySet<string>;
  readonly #discovery: Discovery;
  #nodes: readonly Node[];
  /** Whose turn it is. */
  #turn = 0;
  #isStarted = false;
  #isClosed = false;

  constructor(
    named: readonly Address[],
    lookupds: readonly LookupUrl[],
    settings: ConnectionSettings & LookupdSettings,
    host: PoolHost,
  ) {
    this.#settings = settings;
    this.#host = host;
    this.#named = new Set(named.map(({ text }) => text));
    this.#nodes = named.map((address) => new Node(address, settings, this));
    this.#discovery = new Discovery(lookupds, settings, {
      answered: (lookupd, nsqds) => {
        this.#reconcile();
        host.lookupAnswered(lookupd, nsqds);
      },
      failed: (lookupd, error, delay) => host.lookupFailed(lookupd, error, delay),
    });
  }

  /** Why there is nobody to publish to; undefined when there is somebody, connected or not. */
  get absence(): ConnectionError | undefined {
    if (this.#nodes.length > 0) return undefined;
    return new ConnectionError('E_CONNECT', this.#discovery.lookupds.join(', '), 'no nsqd is listed');
  }

  start(): void {
    if (this.#isStarted) return;
    this.#isStarted = true;
    for (const node of this.#nodes) node.link.start();
    this.#discovery.start();
  }

  /**
   * Resolves when some nsqd is connected; starts if need be.
   * @throws ConnectionError or BrokerError when none can be reached, LookupError when no lookupd answers
   */
  async connect(): Promise<void> {
    this.start();
    if (this.#nodes.length === 0) await this.#discovery.ready();
    const nodes = this.#nodes;
    if (this.absence) throw this.absence;
    try {
      await Promise.any(nodes.map((node) => node.link.connected()));
    } catch (cause) {
      const errors: readonly Error[] = cause instanceof AggregateError ? cause.errors : [];
      if (errors.length === 1) throw errors[0];
      const addresses = nodes.map((node) => node.address.text).join(', ');
      throw new ConnectionError('E_CONNECT', addresses, 'no nsqd can be reached', { cause });
    }
  }

  /** Asks one more lookupd, at once. @throws LookupError when it does not answer; it is asked again */
  async addLookupd(lookupd: LookupUrl): Promise<void> {
    this.start();
    await this.#discovery.add(lookupd);
  }

  /** Asks it no more. @throws LookupError when it was not asked */
  removeLookupd(lookupd: LookupUrl): void {
    this.#discovery.remove(lookupd);
    this.#reconcile();
  }

  /**
   * The node whose turn it is, of those that take more now. Those that do not answer, or are listed no more, are left
   * out as long as there is another one.
   */
  pick(): Node | undefined {
    const nodes = this.#nodes;
    const first = this.#turn;
    let resort: number | undefined;
    let hasBetter = false;
    for (let tried = 0; tried < nodes.length; tried++) {
      const index = (first + tried) % nodes.length;
      const node = nodes[index]!;
      if (!node.isUp) continue;
      const isGood = !node.isSuspect && this.#isListed(node);
      if (node.isWritable) {
        if (isGood) return this.#take(index);
        resort ??= index;
      }
      hasBetter ||= isGood;
    }
    return hasBetter || resort === undefined ? undefined : this.#take(resort);
  }

  /** Writes what the nodes were handed. */
  flush(): void {
    for (const node of this.#nodes) node.flush();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#discovery.stop();
    await Promise.all(this.#nodes.map((node) => node.close()));
  }

  connected(node: Node): void {
    this.#host.connected(node.address.text);
    this.#host.available();
  }

  disconnected(node: Node, error: BrokerError | ConnectionError): void {
    this.#host.disconnected(node.address.text, error);
    this.#host.available();
    this.#discovery.recheck();
  }

  retrying(node: Node, error: BrokerError | ConnectionError, delay: number): void {
    if (this.#isListed(node)) this.#host.retrying(node.address.text, error, delay);
    else this.#remove(node);
  }

  drained(): void {
    this.#host.available();
  }

  #take(index: number): Node | undefined {
    this.#turn = (index + 1) % this.#nodes.length;
    return this.#nodes[index];
  }

  #isListed(node: Node): boolean {
    const { text } = node.address;
    return this.#named.has(text) || this.#discovery.lists(text);
  }

  /** Adds what is listed now. What is listed no more goes when it is not connected: now, or when that ends. */
  #reconcile(): void {
    if (this.#isClosed) return;
    for (const node of this.#nodes) if (!node.isUp && !this.#isListed(node)) this.#remove(node);
    const known = new Set(this.#nodes.map((node) => node.address.text));
    const found = this.#discovery.addresses().filter(({ text }) => !known.has(text));
    const nodes = found.map((address) => new Node(address, this.#settings, this));
    this.#nodes = [...this.#nodes, ...nodes];
    for (const node of nodes) node.link.start();
  }

  #remove(node: Node): void {
    node.link.stop();
    this.#nodes = this.#nodes.filter((one) => one !== node);
    this.#turn = 0;
  }
}
