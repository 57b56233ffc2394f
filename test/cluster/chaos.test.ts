import { setTimeout as delay } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { bodies, Cluster } from './support/cluster.js';
import { recovered } from './support/figures.js';
import type { Network } from './support/network.js';

/** How long: a while with the other tests, longer by hand: CLUSTER_SECONDS=300 npx vitest run test/cluster/chaos.test.ts */
const SECONDS = Number(process.env.CLUSTER_SECONDS ?? 4);
const SEED = Number(process.env.CLUSTER_SEED ?? Date.now() % 1_000_000);
/** From the end of a fault until a message of every broker has come. */
const RECOVERY = 5000;

/** Numbers below `limit`, the same ones for the same seed (mulberry32). */
function randomOf(seed: number): (limit: number) => number {
  let state = seed;
  return (limit) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % limit;
  };
}

/** Publishes one batch after the other, each on any broker that takes it, until told to stop. */
class Publisher {
  readonly confirmed: string[] = [];
  readonly #cluster: Cluster;
  readonly #random: (limit: number) => number;
  #stopped = false;
  readonly #running: Promise<void>;

  constructor(cluster: Cluster, random: (limit: number) => number) {
    this.#cluster = cluster;
    this.#random = random;
    this.#running = this.#run();
  }

  stop(): Promise<void> {
    this.#stopped = true;
    return this.#running;
  }

  async #run(): Promise<void> {
    for (let batch = 0; !this.#stopped; batch++) {
      const sent = bodies(`batch ${batch}`, 10);
      // One that was killed may have stored it before it could say so: what was not confirmed may come, or not.
      await this.#cluster.brokers[this.#random(3)]?.publish('chaos', sent).then(
        () => this.confirmed.push(...sent),
        () => undefined,
      );
      await delay(5);
    }
  }
}

it(
  `nothing that was confirmed is lost, whatever is killed or out of reach (seed ${SEED})`,
  async () => {
    const cluster = await Cluster.start();
    const { lookupds, brokers, networks } = cluster;
    const random = randomOf(SEED);
    await cluster.publish('chaos', 'first');
    await cluster.listed('chaos');
    const inbox = await cluster.consume('chaos');
    const publisher = new Publisher(cluster, randomOf(SEED + 1));

    const between = async (where: readonly Network[]): Promise<void> => {
      const how = random(2) === 0 ? 'cut' : 'hang';
      for (const network of where) network[how]();
      await delay(50 + random(400));
      for (const network of where) network.heal();
    };
    const faults = {
      'a broker killed': async () => {
        const broker = brokers[random(3)];
        await broker?.kill();
        await broker?.start();
      },
      'a lookupd killed': async () => {
        const lookupd = lookupds[random(2)];
        await lookupd?.kill();
        await lookupd?.start();
      },
      'both lookupds and a broker killed': async () => {
        const nodes = [...lookupds, ...brokers.slice(0, 1)];
        await Promise.all(nodes.map((it) => it.kill()));
        await Promise.all(nodes.map((it) => it.start()));
      },
      'a broker out of reach': () => between(brokers[random(3)]?.networks ?? []),
      'lookupds out of reach': () =>
        between([...networks, ...brokers.flatMap(({ lookupdNetworks }) => lookupdNetworks)]),
    };
    const names = Object.keys(faults) as (keyof typeof faults)[];
    const slowest = new Map<string, number>();
    const end = performance.now() + SECONDS * 1000;
    for (let round = 0; round < names.length || performance.now() < end; round++) {
      const name = names[round % names.length] ?? 'a broker killed';
      await faults[name]();
      const since = performance.now();
      const sent = (await cluster.publish('chaos', `round ${round}`, 1)).flat();
      const took = await inbox.delay(sent, since);
      slowest.set(name, Math.max(took, slowest.get(name) ?? 0));
    }
    await publisher.stop();
    await inbox.has(publisher.confirmed);
    await cluster.listed('chaos');
    expect(publisher.confirmed.length).toBeGreaterThan(100);
    for (const [name, ms] of slowest) recovered(`${name}, at most`, ms, RECOVERY);
  },
  SECONDS * 1000 + 30_000,
);
