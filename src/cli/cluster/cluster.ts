import { RunError } from '../errors.js';
import type { ClusterSource } from './cluster-settings.js';
import type { HttpAddress } from './http-address.js';
import { type Registrations, readNames, readProducers } from './lookupd-answers.js';
import type { NodeClient } from './node-client.js';
import { NodeError, TRUST } from './node-error.js';
import { type NsqdStats, readNsqdStats } from './nsqd-stats.js';

/** What one nsqd said, or why it said nothing. */
export type NodeSample =
  | { readonly address: string; readonly at: number; readonly stats: NsqdStats }
  | { readonly address: string; readonly error: NodeError };

/** What a cluster looks like at one time. */
export interface Sample {
  readonly time: Date;
  /** Each nsqd once; `at` is when it answered, in ms of `performance.now()`. */
  readonly nodes: readonly NodeSample[];
  /** Lookupds that did not answer: there may be more nsqds. */
  readonly lookupFailures: readonly NodeError[];
}

/** A list that is whole only without failures. */
export interface Gathered<T> {
  readonly items: readonly T[];
  readonly failures: readonly NodeError[];
}

export interface StatsQuery {
  readonly topic?: string | undefined;
  readonly channel?: string | undefined;
}

/** Names, and the nsqds that have them. */
export type Holders = ReadonlyMap<string, readonly string[]>;

const NONE: Registrations = { registered: [], failures: [] };

/** Asks all of a cluster: the nsqds given, or those that the lookupds know. */
export class Cluster {
  readonly source: ClusterSource;
  readonly #client: NodeClient;
  /** A lookupd that fails is taken at its last word, since its nsqds have not gone with it. */
  readonly #lastWords = new Map<string, Registrations>();

  constructor(source: ClusterSource, client: NodeClient) {
    this.source = source;
    this.#client = client;
  }

  /** The nsqds that have the topic, or all. Rejects with {@link RunError} when no lookupd answers. */
  async nsqds(topic?: string, signal?: AbortSignal): Promise<Gathered<HttpAddress>> {
    const { nsqds, lookupds } = this.source;
    if (lookupds.length === 0) return { items: nsqds, failures: [] };
    const { items, failures } = await this.#registrations(topic, signal);
    const addresses = items.flatMap(({ registered }) => registered.map(({ address }) => address));
    return {
      items: [...new Map(addresses.map((address) => [address.text, address])).values()],
      failures: [...failures, ...distinct(items.flatMap((item) => item.failures))],
    };
  }

  /** Rejects with {@link RunError} when nobody answers. */
  async sample({ topic, channel }: StatsQuery = {}, signal?: AbortSignal): Promise<Sample> {
    const { items, failures } = await this.nsqds(topic, signal);
    const query = {
      format: 'json',
      include_clients: 'false',
      include_mem: 'false',
      ...(topic === undefined ? {} : { topic }),
      ...(channel === undefined ? {} : { channel }),
    };
    const nodes = await Promise.all(
      items.map(async (address): Promise<NodeSample> => {
        try {
          const json = await this.#client.get(address, '/stats', query, signal);
          const stats = readNsqdStats(address.text, json);
          return { address: address.text, at: performance.now(), stats };
        } catch (error) {
          return { address: address.text, error: nodeError(error) };
        }
      }),
    );
    const errors = failuresOf(nodes);
    if (nodes.length > 0 && errors.length === nodes.length) throw nobodyAnswers('nsqd', errors);
    return { time: new Date(), nodes, lookupFailures: failures };
  }

  /** Every topic and who has it. Rejects with {@link RunError} when nobody answers. */
  async topics(signal?: AbortSignal): Promise<{ topics: Holders; failures: readonly NodeError[] }> {
    const { lookupds } = this.source;
    const holders = new Map<string, string[]>();
    const add = (topic: string, address?: string): void => {
      const known = holders.get(topic) ?? [];
      if (address !== undefined && !known.includes(address)) known.push(address);
      holders.set(topic, known);
    };
    if (lookupds.length === 0) {
      const { nodes } = await this.sample({}, signal);
      for (const node of nodes)
        if ('stats' in node) for (const { name } of node.stats.topics) add(name, node.address);
      return { topics: sorted(holders), failures: failuresOf(nodes) };
    }
    const [listed, nodes] = await Promise.all([
      this.#askLookupds(async (lookupd) =>
        readNames(lookupd.text, 'topics', await this.#client.get(lookupd, '/topics', {}, signal)),
      ),
      this.#registrations(undefined, signal),
    ]);
    for (const topic of listed.items.flat()) add(topic);
    for (const { registered } of nodes.items)
      for (const { address, topics } of registered) for (const topic of topics) add(topic, address.text);
    return { topics: sorted(holders), failures: distinct([...listed.failures, ...nodes.failures]) };
  }

  /** The channels of a topic, sorted; undefined when nobody has the topic. Rejects with {@link RunError}. */
  async channels(
    topic: string,
    signal?: AbortSignal,
  ): Promise<{ channels: readonly string[] | undefined; failures: readonly NodeError[] }> {
    if (this.source.lookupds.length === 0) {
      const { nodes } = await this.sample({ topic }, signal);
      const stats = nodes.flatMap((node) => ('stats' in node ? node.stats.topics : []));
      const own = stats.filter(({ name }) => name === topic);
      const names = own.flatMap(({ channels }) => channels.map(({ name }) => name));
      return { channels: own.length === 0 ? undefined : unique(names), failures: failuresOf(nodes) };
    }
    const { items, failures } = await this.#askLookupds(async (lookupd) => {
      const json = await this.#lookup(lookupd, topic, signal);
      return json === undefined ? undefined : readNames(lookupd.text, 'channels', json);
    });
    const known = items.filter((names) => names !== undefined);
    return { channels: known.length === 0 ? undefined : unique(known.flat()), failures };
  }

  async #registrations(topic?: string, signal?: AbortSignal): Promise<Gathered<Registrations>> {
    return this.#askLookupds(
      async (lookupd) => {
        const json =
          topic === undefined
            ? await this.#client.get(lookupd, '/nodes', {}, signal)
            : await this.#lookup(lookupd, topic, signal);
        const registrations = json === undefined ? NONE : readProducers(lookupd.text, json);
        this.#lastWords.set(`${lookupd.text} ${topic ?? ''}`, registrations);
        return registrations;
      },
      (lookupd) => this.#lastWords.get(`${lookupd.text} ${topic ?? ''}`),
    );
  }

  /** Undefined for a topic that the lookupd does not know. */
  async #lookup(lookupd: HttpAddress, topic: string, signal?: AbortSignal): Promise<unknown> {
    try {
      return await this.#client.get(lookupd, '/lookup', { topic }, signal);
    } catch (error) {
      if (error instanceof NodeError && error.reply === 'TOPIC_NOT_FOUND') return undefined;
      throw error;
    }
  }

  /** Asks every lookupd; in place of an answer that does not come stands what `otherwise` gives. */
  async #askLookupds<T>(
    ask: (lookupd: HttpAddress) => Promise<T>,
    otherwise: (lookupd: HttpAddress) => T | undefined = () => undefined,
  ): Promise<Gathered<T>> {
    const failures: NodeError[] = [];
    const answers = await Promise.all(
      this.source.lookupds.map(async (lookupd): Promise<T[]> => {
        try {
          return [await ask(lookupd)];
        } catch (error) {
          failures.push(nodeError(error));
          const last = otherwise(lookupd);
          return last === undefined ? [] : [last];
        }
      }),
    );
    const items = answers.flat();
    if (items.length === 0) throw nobodyAnswers('lookupd', failures);
    return { items, failures };
  }
}

/** What a command says when not one of several has answered. */
function nobodyAnswers(kind: 'nsqd' | 'lookupd', errors: readonly NodeError[]): RunError {
  const reasons = errors.map(({ address, message }) => `${address}: ${message}`).join('; ');
  const flag = `--${kind}-http-address`;
  const isAbsent = errors.every(({ code }) => code === 'E_UNREACHABLE');
  const isUntrusted = errors.every(({ code }) => code === 'E_TLS');
  const start = kind === 'nsqd' ? 'a broker with "nsq serve"' : 'one with "nsq lookupd"';
  const elsewhere = isAbsent
    ? `Start ${start}, or name one that runs with ${flag}`
    : `Check the address in ${flag}`;
  return new RunError(`no ${kind} answers${isAbsent ? '' : ' as it should'}: ${reasons}`, {
    hint: isUntrusted ? TRUST : elsewhere,
    cause: errors[0],
  });
}

function failuresOf(nodes: readonly NodeSample[]): NodeError[] {
  return nodes.flatMap((node) => ('error' in node ? [node.error] : []));
}

/** Only a {@link NodeError} is an answer's fault; all else is ours. */
export function nodeError(error: unknown): NodeError {
  if (error instanceof NodeError) return error;
  throw error;
}

function distinct(failures: readonly NodeError[]): NodeError[] {
  return [...new Map(failures.map((error) => [`${error.address} ${error.message}`, error])).values()];
}

function unique(names: readonly string[]): string[] {
  return [...new Set(names)].sort();
}

function sorted(holders: Map<string, string[]>): Holders {
  return new Map([...holders].sort(([one], [other]) => (one < other ? -1 : 1)));
}
