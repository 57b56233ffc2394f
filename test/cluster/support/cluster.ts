import type { ConsumerOptions } from '../../../src/client/index.js';
import { Inbox } from './inbox.js';
import { Network } from './network.js';
import { BrokerNode, LookupdNode } from './nodes.js';

/** A lookupd that had to be polled would be asked again after this: what is found earlier was announced. */
const NEVER = 300_000;

/** Two lookupds and three brokers, each a process; it goes with the file's tests. */
export class Cluster {
  readonly lookupds: readonly [LookupdNode, LookupdNode] = [new LookupdNode(), new LookupdNode()];
  readonly brokers: BrokerNode[] = [];
  /** Between consumers and lookupds. */
  readonly networks: Network[] = [];

  static async start(): Promise<Cluster> {
    const cluster = new Cluster();
    await Promise.all(cluster.lookupds.map((it) => it.start()));
    for (const { httpAddress } of cluster.lookupds) cluster.networks.push(await Network.start(httpAddress));
    cluster.brokers.push(...(await Promise.all([1, 2, 3].map(() => BrokerNode.start(cluster.lookupds)))));
    return cluster;
  }

  /** A consumer of the topic that finds its brokers by both lookupds, and is connected to those that there are. */
  async consume(topic: string, options: Partial<ConsumerOptions> = {}): Promise<Inbox> {
    const inbox = new Inbox({
      topic,
      channel: 'c',
      lookupdHttpAddresses: this.networks.map(({ address }) => address),
      lookupdPollInterval: NEVER,
      ...options,
    });
    await inbox.consumer.connect();
    return inbox;
  }

  /** Publishes the same number on every broker; gives what was published on each. */
  async publish(topic: string, name: string, count = 20): Promise<string[][]> {
    const all = this.brokers.map((_, index) => bodies(`${name} on ${index}`, count));
    await Promise.all(this.brokers.map((broker, index) => broker.publish(topic, all[index] ?? [])));
    return all;
  }

  /** Resolves when every lookupd lists these brokers, and no others, for the topic. */
  async listed(topic: string, on: readonly BrokerNode[] = this.brokers): Promise<void> {
    await Promise.all(this.lookupds.map((it) => it.lists(topic, on)));
  }
}

/** Bodies that are like no others. */
export function bodies(name: string, count = 20): string[] {
  return Array.from({ length: count }, (_, index) => `${name} ${index}`);
}
