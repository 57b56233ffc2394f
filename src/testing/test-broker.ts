import { once } from 'node:events';
import net from 'node:net';
import { type Body, type Broker, type BrokerOptions, startBroker } from '../broker/index.js';
import { type ChannelStats, channelStats } from './channel-stats.js';
import { Collection, PublishedMessage } from './collection.js';
import { Faults, type FinishFault, type PublishFault } from './faults.js';
import { Relay, type RelayOwner } from './relay.js';
import { Wait, type WaitOptions } from './wait.js';

const LOOPBACK = '127.0.0.1:0';

/** A broker's, but for its addresses. */
export type TestBrokerOptions = Omit<BrokerOptions, 'tcpAddress' | 'httpAddress'>;

/**
 * A broker in this process, on free ports of 127.0.0.1, with its messages in a temporary directory: the real one, behind
 * a relay that reads along and lets things go wrong when a test asks for it. `close()` or `await using` ends it.
 */
export class TestBroker implements AsyncDisposable {
  /** For `nsqdTcpAddress` and `nsqdTcpAddresses`. */
  readonly tcpAddress: string;
  /** The broker's HTTP API. */
  readonly httpAddress: string;
  readonly #broker: Broker;
  readonly #server: net.Server;
  readonly #relays = new Set<Relay>();
  readonly #faults = new Faults();
  readonly #wait = new Wait();
  readonly #collections = new Set<Collection>();
  #closed: Promise<void> | undefined;

  private constructor(broker: Broker, server: net.Server) {
    const { port } = server.address() as net.AddressInfo;
    this.#broker = broker;
    this.#server = server;
    this.tcpAddress = `127.0.0.1:${port}`;
    this.httpAddress = broker.httpAddress;
    const owner: RelayOwner = {
      faults: this.#faults,
      published: (topic, bodies) => this.#published(topic, bodies),
      stirred: () => this.#wait.stir(),
      closed: (relay) => this.#relays.delete(relay),
    };
    server.on('connection', (socket) => this.#relays.add(new Relay(socket, broker.tcpAddress, owner)));
  }

  /** @throws BrokerError as `startBroker` does */
  static async start(options: TestBrokerOptions): Promise<TestBroker> {
    const broker = await startBroker({ ...options, tcpAddress: LOOPBACK, httpAddress: LOOPBACK });
    const server = net.createServer({ allowHalfOpen: true });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new TestBroker(broker, server);
  }

  /** Clients connected now. */
  get connections(): number {
    return this.#relays.size;
  }

  /** Publishes messages, without a producer: together or not at all. */
  async publish(topic: string, ...bodies: readonly Body[]): Promise<void> {
    for (const body of bodies) checkBody(body);
    await this.#broker.publish(topic, bodies);
    this.#published(
      topic,
      bodies.map((body) => (typeof body === 'string' ? Buffer.from(body) : Buffer.from(body))),
    );
  }

  /**
   * Resolves when the channel holds nothing any more: nothing that waits, is in flight, or is deferred. A channel that
   * is not there yet is waited for.
   * @throws Error after `timeout` ms, with what the channel holds
   */
  async drained(topic: string, channel: string, options: WaitOptions = {}): Promise<void> {
    let stats: ChannelStats | undefined;
    await this.#wait.until(
      async () => {
        stats = await this.stats(topic, channel);
        return stats !== undefined && stats.depth + stats.inFlight + stats.deferred === 0;
      },
      () => `${topic}/${channel} to be drained: ${describe(stats)}`,
      options,
    );
  }

  /** Publishes messages and waits until the channel has nothing left, those messages included. */
  async publishAndDrain(
    topic: string,
    channel: string,
    bodies: readonly Body[],
    options: WaitOptions = {},
  ): Promise<void> {
    if (!Array.isArray(bodies)) throw new TypeError('the bodies must be an array');
    await this.publish(topic, ...bodies);
    await this.drained(topic, channel, options);
  }

  /** What a channel holds; undefined when there is none of that name. */
  async stats(topic: string, channel: string): Promise<ChannelStats | undefined> {
    if (this.#closed) throw new Error('the test broker is closed');
    return channelStats(this.httpAddress, topic, channel);
  }

  /** Collects what is published to the topic from now on, by whichever client of `tcpAddress`, or `publish()`. */
  collect(topic: string): Collection {
    const collection = new Collection(topic, this.#wait, () => this.#collections.delete(collection));
    this.#collections.add(collection);
    return collection;
  }

  /**
   * Lets the next `count` commands fail that publish. Concurrent calls of a producer are one command, unless its option
   * `autoBatch` is false.
   */
  failPublishes(count: number, fault: PublishFault = {}): void {
    this.#faults.failPublishes(count, fault);
  }

  /** Answers the next `count` FINs with E_FIN_FAILED: their messages stay in flight, and come again when timed out. */
  failFinishes(count: number, fault: FinishFault = {}): void {
    this.#faults.failFinishes(count, fault);
  }

  /** Ends all connections at once, as a network does: nothing is said or sent before. New ones are accepted. */
  dropConnections(): void {
    for (const relay of [...this.#relays]) relay.destroy();
  }

  /** Ends everything and removes the messages. */
  async close(): Promise<void> {
    this.#closed ??= this.#close();
    await this.#closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #published(topic: string, bodies: readonly Buffer[]): void {
    for (const collection of this.#collections) {
      if (collection.topic !== topic) continue;
      for (const body of bodies) collection.messages.push(new PublishedMessage(topic, body));
    }
    this.#wait.stir();
  }

  async #close(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.dropConnections();
    await closed;
    await this.#broker.close();
  }
}

/** From JavaScript anything may come. @throws TypeError */
function checkBody(body: unknown): void {
  if (typeof body === 'string' || body instanceof Uint8Array) return;
  throw new TypeError(
    `a body must be a string or bytes, not ${typeof body === 'object' ? 'an object: use JSON.stringify()' : String(body)}`,
  );
}

function describe(stats: ChannelStats | undefined): string {
  if (stats === undefined) return 'there is no such channel';
  return `depth ${stats.depth}, ${stats.inFlight} in flight, ${stats.deferred} deferred`;
}

/** Starts a {@link TestBroker}. `options` are a broker's, such as `msgTimeout` in ms. @throws BrokerError */
export function createTestBroker(options: TestBrokerOptions = {}): Promise<TestBroker> {
  return TestBroker.start(options);
}
