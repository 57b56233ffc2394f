import { isEphemeral } from '../protocol/names.js';
import { Channel } from './channel.js';
import type { Peer, PeerInfo, Producer, Topic } from './registration.js';

export interface RegistrationDbOptions {
  /** Milliseconds on a clock that never goes back. */
  readonly now: () => number;
  /** Silence after which a peer is left out of look-ups, in ms. */
  readonly inactiveTimeout: number;
  /** How long a tombstone holds, in ms. */
  readonly tombstoneLifetime: number;
  /** Version before the first change; default 0. Versions of two databases differ if these do. */
  readonly firstVersion?: number;
  /** Called with the name of a topic whose look-up answers something else from now on. */
  readonly onChange?: (topic: string) => void;
}

/** What a registration or its end did that was not so before. */
export interface Registered {
  readonly topic: boolean;
  /** Names of channels. */
  readonly channels: readonly string[];
}

/**
 * Who produces which topics and channels. No I/O; time comes from the clock that is given.
 *
 * What changes by time alone is settled before each question: peers wait in the order of their silence, tombstones in
 * the order of their making, so that only those that are due are looked at.
 */
export class RegistrationDb {
  readonly #options: RegistrationDbOptions;
  readonly #firstVersion: number;
  readonly #topics = new Map<string, Topic>();
  readonly #peers = new Set<Peer>();
  /** Those that are not silent for too long, the most silent first. */
  readonly #active = new Set<Peer>();
  /** Those whose tombstone holds, the oldest first. */
  readonly #tombstoned = new Set<Producer>();
  #version: number;

  constructor(options: RegistrationDbOptions) {
    this.#options = options;
    this.#firstVersion = options.firstVersion ?? 0;
    this.#version = this.#firstVersion;
  }

  /** Another one after every change of any answer. */
  get version(): number {
    this.settle();
    return this.#version;
  }

  addPeer(id: string, info: PeerInfo): Peer {
    const peer: Peer = { id, info, lastUpdate: this.#options.now(), active: true, producers: new Set() };
    this.#peers.add(peer);
    this.#active.add(peer);
    this.#version++;
    return peer;
  }

  /** Notes a sign of life. Gives the ms since the last one. */
  ping(peer: Peer): number {
    this.settle();
    const now = this.#options.now();
    const silence = now - peer.lastUpdate;
    peer.lastUpdate = now;
    this.#active.delete(peer);
    this.#active.add(peer);
    if (!peer.active) {
      peer.active = true;
      this.#version++;
      for (const { topic } of peer.producers) this.#changed(topic);
    }
    return silence;
  }

  /**
   * Forgets a peer and all its registrations: gives the topics, and the channels of each. Topics and channels stay, but
   * for ephemeral ones without a producer.
   */
  removePeer(peer: Peer): ReadonlyMap<string, readonly string[]> {
    const removed = new Map<string, string[]>();
    for (const producer of peer.producers) removed.set(producer.topic.name, this.#removeProducer(producer));
    this.#peers.delete(peer);
    this.#active.delete(peer);
    this.#version++;
    return removed;
  }

  /** Makes the peer a producer of the topic, and of its channel if one is named. */
  register(peer: Peer, topicName: string, channelName = ''): Registered {
    this.settle();
    const topic = this.createTopic(topicName);
    let producer = topic.producers.get(peer);
    const isNew = !producer;
    if (!producer) {
      producer = { peer, topic, channels: 0, tombstonedAt: undefined, tombstoned: false };
      peer.producers.add(producer);
      topic.producers.set(peer, producer);
      this.#changed(topic);
    }
    if (channelName === '') return { topic: isNew, channels: [] };
    const added = this.createChannel(topicName, channelName).add(producer);
    return { topic: isNew, channels: added ? [channelName] : [] };
  }

  /** Ends the peer's registration of one channel or, without one, of the topic and all its channels. */
  unregister(peer: Peer, topicName: string, channelName = ''): Registered {
    this.settle();
    const topic = this.#topics.get(topicName);
    if (!topic) return { topic: false, channels: [] };
    const producer = topic.producers.get(peer);
    if (channelName !== '') {
      const channel = topic.channels.get(channelName);
      if (!channel) return { topic: false, channels: [] };
      const removed = producer !== undefined && channel.delete(producer);
      this.#dropOrphanChannel(channel);
      return { topic: false, channels: removed ? [channelName] : [] };
    }
    if (producer) return { topic: true, channels: this.#removeProducer(producer) };
    this.#dropOrphan(topic);
    return { topic: false, channels: [] };
  }

  /** The topic of that name, made if there is none. */
  createTopic(name: string): Topic {
    let topic = this.#topics.get(name);
    if (!topic) {
      topic = { name, producers: new Map(), channels: new Map(), takenBits: 0, version: 0 };
      this.#topics.set(name, topic);
      this.#changed(topic);
    }
    return topic;
  }

  /** The channel of that name, made if there is none, and so is its topic. */
  createChannel(topicName: string, name: string): Channel {
    const topic = this.createTopic(topicName);
    let channel = topic.channels.get(name);
    if (!channel) {
      channel = new Channel(topic, name);
      topic.channels.set(name, channel);
      this.#changed(topic);
    }
    return channel;
  }

  /** Forgets a topic, its channels and who produces them, tombstones too. False if there is none. */
  deleteTopic(name: string): boolean {
    const topic = this.#topics.get(name);
    if (!topic) return false;
    for (const producer of topic.producers.values()) {
      producer.peer.producers.delete(producer);
      this.#tombstoned.delete(producer);
    }
    this.#topics.delete(name);
    this.#changed(topic);
    return true;
  }

  /** False if there is none. */
  deleteChannel(topicName: string, name: string): boolean {
    const channel = this.#topics.get(topicName)?.channels.get(name);
    if (!channel) return false;
    this.#removeChannel(channel);
    return true;
  }

  /** Leaves the topic's producers at `node` (`broadcast address:HTTP port`) out of its look-ups for a while. */
  tombstone(topicName: string, node: string): void {
    this.settle();
    for (const producer of this.#topics.get(topicName)?.producers.values() ?? []) {
      const { broadcast_address, http_port } = producer.peer.info;
      if (`${broadcast_address}:${http_port}` !== node) continue;
      producer.tombstonedAt = this.#options.now();
      producer.tombstoned = true;
      this.#tombstoned.delete(producer);
      this.#tombstoned.add(producer);
      this.#changed(producer.topic);
    }
    this.settle();
  }

  topic(name: string): Topic | undefined {
    this.settle();
    return this.#topics.get(name);
  }

  /** That of the topic; of one that is not there, the same one always. */
  versionOf(name: string): number {
    return this.topic(name)?.version ?? this.#firstVersion;
  }

  topics(): Iterable<Topic> {
    return this.#topics.values();
  }

  /** The topic's producers that a consumer should connect to. */
  *producersOf(topic: Topic): Iterable<PeerInfo> {
    this.settle();
    for (const { peer, tombstoned } of topic.producers.values())
      if (peer.active && !tombstoned) yield peer.info;
  }

  /** Peers that are not silent for too long. */
  activePeers(): Iterable<Peer> {
    this.settle();
    return this.#active;
  }

  /** All peers that are connected. */
  peers(): Iterable<Peer> {
    return this.#peers;
  }

  /** Lets what is due by now happen: peers become inactive, tombstones end. */
  settle(): void {
    const now = this.#options.now();
    for (const peer of this.#active) {
      if (now - peer.lastUpdate <= this.#options.inactiveTimeout) break;
      this.#active.delete(peer);
      peer.active = false;
      this.#version++;
      for (const { topic } of peer.producers) this.#changed(topic);
    }
    for (const producer of this.#tombstoned) {
      if (now - (producer.tombstonedAt ?? 0) < this.#options.tombstoneLifetime) break;
      this.#tombstoned.delete(producer);
      producer.tombstoned = false;
      this.#changed(producer.topic);
    }
  }

  /** When time alone changes an answer next, in ms of the clock; undefined if it does not. */
  nextDeadline(): number | undefined {
    const [peer] = this.#active;
    const [producer] = this.#tombstoned;
    const silent = peer ? peer.lastUpdate + this.#options.inactiveTimeout : Number.POSITIVE_INFINITY;
    const buried = producer
      ? (producer.tombstonedAt ?? 0) + this.#options.tombstoneLifetime
      : Number.POSITIVE_INFINITY;
    const next = Math.min(silent, buried);
    return next === Number.POSITIVE_INFINITY ? undefined : next;
  }

  /** The channels that it had. */
  #removeProducer(producer: Producer): string[] {
    const { peer, topic } = producer;
    const channels: string[] = [];
    for (const channel of topic.channels.values()) {
      if (!channel.delete(producer)) continue;
      channels.push(channel.name);
      this.#dropOrphanChannel(channel);
    }
    peer.producers.delete(producer);
    topic.producers.delete(peer);
    this.#tombstoned.delete(producer);
    this.#changed(topic);
    this.#dropOrphan(topic);
    return channels;
  }

  #dropOrphanChannel(channel: Channel): void {
    if (channel.size === 0 && isEphemeral(channel.name)) this.#removeChannel(channel);
  }

  #removeChannel(channel: Channel): void {
    channel.release();
    channel.topic.channels.delete(channel.name);
    this.#changed(channel.topic);
  }

  #dropOrphan(topic: Topic): void {
    if (topic.producers.size === 0 && isEphemeral(topic.name)) this.deleteTopic(topic.name);
  }

  #changed(topic: Topic): void {
    topic.version = ++this.#version;
    this.#options.onChange?.(topic.name);
  }
}
