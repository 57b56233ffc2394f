import { type Address, parseAddress, parseAddresses } from './address.js';
import { ConsumerNode, type ConsumerNodeHost } from './consumer-node.js';
import { Discovery } from './discovery/discovery.js';
import { distinctUrls, lookupUrl } from './discovery/lookup-url.js';
import { ConnectionError, type LookupError } from './errors.js';
import type { ConnectionSettings, ConsumerOptions, ConsumerSettings } from './options.js';

/** What a {@link BrokerSet} needs from its consumer. */
export interface BrokerSetHost extends ConsumerNodeHost {
  /** Which connections there are or may be has changed. */
  changed(): void;
  lookupAnswered(lookupd: string, nsqds: readonly string[]): void;
  lookupFailed(lookupd: string, error: LookupError, delay: number): void;
}

/** The nsqds that are consumed from: those named by the caller, and those found by lookupds. */
export class BrokerSet {
  readonly #connection: ConnectionSettings;
  readonly #host: BrokerSetHost;
  readonly #nodes = new Map<string, ConsumerNode>();
  readonly #named = new Set<string>();
  /** Found perhaps, and not wanted. */
  readonly #unwanted = new Set<string>();
  readonly #discovery: Discovery;

  /** @throws OptionError */
  constructor(
    options: ConsumerOptions,
    connection: ConnectionSettings,
    settings: ConsumerSettings,
    host: BrokerSetHost,
  ) {
    this.#connection = connection;
    this.#host = {
      ...host,
      ended: (subscription, error) => {
        host.ended(subscription, error);
        this.#discovery.recheck();
      },
      retrying: (address, error, delay) => {
        const node = this.#nodes.get(address);
        const isGone = node !== undefined && this.#dropIfGone(node);
        host.changed();
        if (!isGone) host.retrying(address, error, delay);
      },
    };
    const urls = distinctUrls(options.lookupdHttpAddresses ?? [], (text) => lookupUrl(text, options.topic));
    const named = options.nsqdTcpAddresses ?? (urls.length === 0 ? '127.0.0.1:4150' : []);
    const addresses = urls.length > 0 && named.length === 0 ? [] : parseAddresses(named);
    for (const address of addresses) {
      this.#named.add(address.text);
      this.#addNode(address);
    }
    this.#discovery = new Discovery(
      urls,
      { ...connection, ...settings },
      {
        answered: (lookupd, nsqds) => {
          this.#followDiscovery();
          host.lookupAnswered(lookupd, nsqds);
        },
        failed: (lookupd, error, delay) => host.lookupFailed(lookupd, error, delay),
      },
    );
  }

  /** Those whose first attempt is under way. */
  get coming(): number {
    let coming = 0;
    for (const node of this.#nodes.values()) if (node.isComing) coming++;
    return coming;
  }

  start(): void {
    this.#discovery.start();
    for (const node of this.#nodes.values()) node.link.start();
  }

  /** @throws ConnectionError, BrokerError, LookupError */
  async connected(): Promise<void> {
    const named = [...this.#nodes.values()].filter(({ address }) => this.#named.has(address));
    await Promise.all([...named.map((node) => node.link.connected()), this.#discovery.ready()]);
    await this.#tried([...this.#nodes.keys()]);
  }

  /** Adds one to those named. @throws OptionError, ConnectionError, BrokerError */
  add(text: string): Promise<void> {
    const address = parseAddress(text);
    this.#unwanted.delete(address.text);
    this.#named.add(address.text);
    const node = this.#nodes.get(address.text) ?? this.#addNode(address);
    this.#host.changed();
    return node.link.connected();
  }

  /** Takes one out, named or found; its connection is the caller's to end. @throws OptionError, ConnectionError */
  remove(text: string): ConsumerNode {
    const address = parseAddress(text).text;
    const node = this.#nodes.get(address);
    if (!node) throw new ConnectionError('E_NOT_CONNECTED', address, 'is not consumed from');
    this.#named.delete(address);
    this.#unwanted.add(address);
    this.#nodes.delete(address);
    node.link.stop();
    return node;
  }

  /** Asks one more lookupd; resolves when each nsqd that it lists was tried. @throws OptionError, LookupError */
  async addLookupd(text: string): Promise<void> {
    const listed = await this.#discovery.add(lookupUrl(text, this.#host.topic));
    await this.#tried(listed);
  }

  /** Asks it no more; what only it has listed is kept as long as it is connected. @throws OptionError, LookupError */
  removeLookupd(text: string): void {
    this.#discovery.remove(lookupUrl(text, this.#host.topic));
    this.#followDiscovery();
  }

  /** Makes no more connections; those that are open stay. */
  stop(): void {
    this.#discovery.stop();
    for (const node of this.#nodes.values()) node.link.stop();
  }

  async #tried(addresses: readonly string[]): Promise<void> {
    await Promise.allSettled(addresses.map((address) => this.#nodes.get(address)?.link.connected()));
  }

  /** Connects to what is listed newly; gives up what is listed no more and not connected either. */
  #followDiscovery(): void {
    for (const address of this.#discovery.addresses()) {
      if (!this.#nodes.has(address.text) && !this.#unwanted.has(address.text))
        this.#addNode(address).link.start();
    }
    for (const node of this.#nodes.values()) this.#dropIfGone(node);
    this.#host.changed();
  }

  #addNode(address: Address): ConsumerNode {
    const node = new ConsumerNode(address, this.#connection, this.#host);
    this.#nodes.set(address.text, node);
    return node;
  }

  /** True if it was given up: a topic that was deleted there must not be made anew by coming back. */
  #dropIfGone(node: ConsumerNode): boolean {
    const { address, subscription } = node;
    if (subscription || this.#named.has(address) || this.#discovery.lists(address)) return false;
    node.link.stop();
    this.#nodes.delete(address);
    return true;
  }
}
