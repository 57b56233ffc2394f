import { hostname } from 'node:os';
import type { LookupPeer as Identity } from '../../protocol/lookup-commands.js';
import { messageOf } from '../errors.js';
import type { Logger } from '../logger.js';
import { type HttpTimeouts, lookUpChannels } from './channel-lookup.js';
import { LookupPeer, type LookupPeerHost } from './lookup-peer.js';
import { parseLookupdAddress } from './lookupd-address.js';

/** A topic as the directory needs it. */
export interface DirectoryTopic {
  readonly name: string;
  readonly closed: boolean;
  readonly channels: ReadonlyMap<string, unknown>;
  /** Its messages are kept from the channels. */
  readonly held: boolean;
  /** The channel of this name, made if there is none. */
  channel(name: string): unknown;
  /** Messages are taken and kept from the channels until it is released, over restarts too. */
  hold(): void;
  release(): void;
}

/** Who the broker says it is. */
interface DirectorySettings extends HttpTimeouts {
  readonly broadcastAddress: string;
  readonly topologyRegion: string;
  readonly topologyZone: string;
}

export interface DirectoryHost {
  readonly logger: Logger;
  readonly settings: DirectorySettings;
  readonly topics: ReadonlyMap<string, DirectoryTopic>;
  readonly version: string;
  /** 0 if there is none. */
  readonly broadcastTcpPort: number;
  readonly broadcastHttpPort: number;
}

/**
 * The broker's place among others: registers its topics and channels with every lookupd, and asks them for the channels
 * of a new topic. Each lookupd is a peer of its own, so that none waits for another.
 */
export class Directory implements LookupPeerHost {
  readonly #host: DirectoryHost;
  readonly #peers = new Map<string, LookupPeer>();
  /** Topics whose channels a lookupd was to be asked for and has not said yet. */
  readonly #unanswered = new Map<LookupPeer, Set<DirectoryTopic>>();
  readonly #asking = new Set<LookupPeer>();
  /** Of topics that a lookupd is to be asked about: channels made here meanwhile. It may know them from this broker. */
  readonly #own = new Map<DirectoryTopic, Set<string>>();
  #flushing = false;
  readonly #closing = new AbortController();

  constructor(host: DirectoryHost) {
    this.#host = host;
  }

  get logger(): Logger {
    return this.#host.logger;
  }

  get topics(): ReadonlyMap<string, DirectoryTopic> {
    return this.#host.topics;
  }

  get #closed(): boolean {
    return this.#closing.signal.aborted;
  }

  /** Registers with these lookupds and with no other. @throws BrokerError E_OPTION, and nothing is changed then */
  setAddresses(addresses: readonly string[]): void {
    for (const address of addresses) parseLookupdAddress(address);
    if (this.#closed) return;
    for (const [address, peer] of this.#peers) {
      if (addresses.includes(address)) continue;
      this.logger.info(`LOOKUPD(${address}): removed`);
      this.#peers.delete(address);
      this.#unanswered.delete(peer);
      void peer.close();
    }
    for (const address of addresses) {
      if (this.#peers.has(address)) continue;
      this.logger.info(`LOOKUPD(${address}): added`);
      this.#peers.set(address, new LookupPeer(address, this));
    }
  }

  /** A topic was made that was not there: it is held until the lookupds have said which channels it has elsewhere. */
  created(topic: DirectoryTopic): void {
    if (this.#peers.size === 0) return;
    this.changed(topic.name);
    topic.hold();
    void this.#askAll(topic).then(() => {
      // A stop that came before the answers leaves it to the next start to ask.
      if (!this.#closed) topic.release();
    });
  }

  /** After a start: topics whose channels the broker did not get to know are asked for now. */
  resume(): void {
    for (const topic of this.#host.topics.values()) {
      if (!topic.held) continue;
      if (this.#peers.size === 0) topic.release();
      else this.created(topic);
    }
  }

  /** A topic or one of its channels came or went. */
  changed(name: string): void {
    if (this.#peers.size === 0) return;
    this.#noteOwn(name);
    for (const peer of this.#peers.values()) peer.changed(name);
    if (this.#flushing) return;
    this.#flushing = true;
    setImmediate(() => {
      this.#flushing = false;
      for (const peer of this.#peers.values()) peer.flush();
    });
  }

  /** Withdraws what is registered everywhere, and disconnects. */
  async close(): Promise<void> {
    this.#closing.abort();
    this.#unanswered.clear();
    await Promise.all(Array.from(this.#peers.values(), (peer) => peer.close()));
    this.#peers.clear();
  }

  identity(): Identity {
    const { settings, version, broadcastTcpPort, broadcastHttpPort } = this.#host;
    return {
      version,
      tcp_port: broadcastTcpPort,
      http_port: broadcastHttpPort,
      hostname: hostname(),
      broadcast_address: settings.broadcastAddress,
      topology_zone: settings.topologyZone,
      topology_region: settings.topologyRegion,
    };
  }

  alive(peer: LookupPeer): void {
    if (this.#unanswered.has(peer) && !this.#asking.has(peer)) void this.#askAgain(peer);
  }

  #noteOwn(name: string): void {
    if (this.#own.size === 0) return;
    const topic = this.#host.topics.get(name);
    const own = topic && this.#own.get(topic);
    if (own) for (const channel of topic.channels.keys()) own.add(channel);
  }

  async #askAll(topic: DirectoryTopic): Promise<void> {
    const peers = [...this.#peers.values()];
    this.#own.set(topic, new Set());
    const answers = await Promise.all(peers.map((peer) => this.#ask(peer, topic)));
    if (this.#closed) return;
    for (const [index, peer] of peers.entries()) if (!answers[index]) this.#askLater(peer, topic);
    this.#forgetOwn(topic);
    if (answers.includes(true)) return;
    this.logger.error(`TOPIC(${topic.name}): no lookupd says which channels it has; asking again later`);
  }

  #forgetOwn(topic: DirectoryTopic): void {
    for (const topics of this.#unanswered.values()) if (topics.has(topic)) return;
    this.#own.delete(topic);
  }

  #askLater(peer: LookupPeer, topic: DirectoryTopic): void {
    if (this.#peers.get(peer.address) !== peer) return;
    const topics = this.#unanswered.get(peer) ?? new Set();
    this.#unanswered.set(peer, topics.add(topic));
  }

  /** One after the other, until one is not answered. */
  async #askAgain(peer: LookupPeer): Promise<void> {
    this.#asking.add(peer);
    const topics = this.#unanswered.get(peer) ?? new Set();
    for (const topic of topics) {
      if (!topic.closed && !(await this.#ask(peer, topic))) break;
      topics.delete(topic);
      this.#forgetOwn(topic);
    }
    if (topics.size === 0) this.#unanswered.delete(peer);
    this.#asking.delete(peer);
  }

  /** Makes the channels that the lookupd knows of the topic; false if it does not say. */
  async #ask(peer: LookupPeer, topic: DirectoryTopic): Promise<boolean> {
    try {
      const { httpClientConnectTimeout, httpClientRequestTimeout } = this.#host.settings;
      const start = performance.now();
      const address = await peer.httpAddress(httpClientConnectTimeout);
      if (address === undefined) return false;
      const waited = performance.now() - start;
      const left = {
        httpClientConnectTimeout: Math.max(1, httpClientConnectTimeout - waited),
        httpClientRequestTimeout: Math.max(1, httpClientRequestTimeout - waited),
      };
      const channels = await lookUpChannels(address, topic.name, left, this.#closing.signal);
      if (this.#closed || topic.closed) return true;
      const own = this.#own.get(topic);
      for (const channel of channels) if (!own?.has(channel)) topic.channel(channel);
      return true;
    } catch (error) {
      if (this.#closed) return false;
      this.logger.warn(`LOOKUPD(${peer.address}): channels of ${topic.name} - ${messageOf(error)}`);
      return false;
    }
  }
}
