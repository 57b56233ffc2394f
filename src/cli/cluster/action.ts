import { RunError } from '../errors.js';
import { type Cluster, nodeError } from './cluster.js';
import type { HttpAddress } from './http-address.js';
import type { NodeClient } from './node-client.js';
import { type NodeError, TRUST } from './node-error.js';

export type Verb = 'create' | 'delete' | 'empty' | 'pause' | 'unpause';

/** A topic, or a channel of it. */
export interface Target {
  readonly topic: string;
  readonly channel?: string;
}

/** What one daemon did about it; `absent` where it was not there. */
export interface NodeOutcome {
  readonly kind: 'nsqd' | 'lookupd';
  readonly address: string;
  readonly result: 'done' | 'absent' | 'failed';
  readonly error?: NodeError;
}

export interface Outcome {
  readonly verb: Verb;
  readonly target: Target;
  /** None where no lookupd knows an nsqd that has it. */
  readonly nodes: readonly NodeOutcome[];
}

/** The daemons' words for what is not there. */
const ABSENT: ReadonlySet<string> = new Set(['TOPIC_NOT_FOUND', 'CHANNEL_NOT_FOUND']);

/** Changes topics and channels all over a cluster, in nsqadmin's order. */
export class Actions {
  readonly #cluster: Cluster;
  readonly #client: NodeClient;

  constructor(cluster: Cluster, client: NodeClient) {
    this.#cluster = cluster;
    this.#client = client;
  }

  /**
   * Does it at every nsqd given, or else at the lookupds, for `create` and `delete`, and at every nsqd that they know to
   * have the topic. Failures are part of the outcome. Rejects with `RunError` when no lookupd answers.
   */
  async perform(verb: Verb, target: Target): Promise<Outcome> {
    const { nsqds, lookupds } = this.#cluster.source;
    const nodes =
      lookupds.length === 0
        ? await this.#each('nsqd', nsqds, (nsqd) => this.#perform(verb, target, nsqd))
        : await this.#throughLookupds(verb, target);
    return { verb, target, nodes };
  }

  async #throughLookupds(verb: Verb, target: Target): Promise<NodeOutcome[]> {
    const { lookupds } = this.#cluster.source;
    if (verb === 'create') {
      const listed = await this.#each('lookupd', lookupds, (lookupd) => this.#perform(verb, target, lookupd));
      // A topic is made by its first publisher, wherever that one is.
      return target.channel === undefined ? listed : [...listed, ...(await this.#atHolders(verb, target))];
    }
    if (verb !== 'delete') return this.#atHolders(verb, target);
    // Who has it must be known before the lookupds forget it.
    const { channels } = await this.#cluster.channels(target.topic);
    const isKnown =
      channels !== undefined && (target.channel === undefined || channels.includes(target.channel));
    const { items, failures } = await this.#cluster.nsqds(target.topic);
    const forgotten = await this.#each('lookupd', lookupds, async (lookupd) => {
      const done = await this.#post(verb, target, lookupd);
      return done && isKnown;
    });
    const deleted = await this.#each('nsqd', items, (nsqd) => this.#post(verb, target, nsqd));
    const told = new Set(forgotten.map(({ address }) => address));
    return [
      ...forgotten,
      ...failed(failures, lookupds).filter(({ address }) => !told.has(address)),
      ...deleted,
    ];
  }

  /** At the nsqds that have the topic, by what the lookupds say. */
  async #atHolders(verb: Verb, target: Target): Promise<NodeOutcome[]> {
    const { items, failures } = await this.#cluster.nsqds(target.topic);
    const nodes = await this.#each('nsqd', items, (nsqd) => this.#post(verb, target, nsqd));
    return [...failed(failures, this.#cluster.source.lookupds), ...nodes];
  }

  /** A channel that is created has its topic created with it. */
  async #perform(verb: Verb, target: Target, daemon: HttpAddress): Promise<boolean> {
    if (verb === 'create' && target.channel !== undefined)
      await this.#post(verb, { topic: target.topic }, daemon);
    return this.#post(verb, target, daemon);
  }

  /** Whether there was something to do it to. Rejects with {@link NodeError}. */
  async #post(verb: Verb, { topic, channel }: Target, daemon: HttpAddress): Promise<boolean> {
    const path = `/${channel === undefined ? 'topic' : 'channel'}/${verb}`;
    try {
      await this.#client.post(daemon, path, { topic, ...(channel === undefined ? {} : { channel }) });
      return true;
    } catch (error) {
      if (verb !== 'create' && ABSENT.has(nodeError(error).reply)) return false;
      throw error;
    }
  }

  async #each(
    kind: NodeOutcome['kind'],
    daemons: readonly HttpAddress[],
    perform: (daemon: HttpAddress) => Promise<boolean>,
  ): Promise<NodeOutcome[]> {
    return Promise.all(
      daemons.map(async (daemon): Promise<NodeOutcome> => {
        const { text: address } = daemon;
        try {
          return { kind, address, result: (await perform(daemon)) ? 'done' : 'absent' };
        } catch (error) {
          return { kind, address, result: 'failed', error: nodeError(error) };
        }
      }),
    );
  }
}

/** Who could not be asked for the nsqds: some of these may have been missed. */
function failed(failures: readonly NodeError[], lookupds: readonly HttpAddress[]): NodeOutcome[] {
  const known = new Set(lookupds.map(({ text }) => text));
  return failures.map((error) => ({
    kind: known.has(error.address) ? 'lookupd' : 'nsqd',
    address: error.address,
    result: 'failed',
    error,
  }));
}

/** A topic or channel in words. */
export function targetText({ topic, channel }: Target): string {
  return channel === undefined ? `topic ${topic}` : `channel ${channel} of topic ${topic}`;
}

/**
 * What is wrong with the outcome, if anything. To delete what is not there is all right: it is gone, as was asked.
 */
export function outcomeError({ verb, target, nodes }: Outcome): RunError | undefined {
  const what = targetText(target);
  const failures = nodes.flatMap(({ kind, error }) => (error ? [{ kind, error }] : []));
  if (failures.length > 0) {
    const reasons = failures
      .map(({ kind, error }) => `${kind} ${error.address}: ${error.message}`)
      .join('; ');
    const isPartly = nodes.some(({ result }) => result === 'done');
    const state = isPartly ? `${past(verb)}, but not everywhere` : `not ${past(verb)}`;
    return new RunError(`${what} is ${state}: ${reasons}`, {
      hint: isPartly ? AGAIN : hintFor(failures),
      cause: failures[0]?.error,
    });
  }
  if (verb === 'delete' || nodes.some(({ result }) => result === 'done')) return undefined;
  return new RunError(`there is no ${what} to ${verb}`, {
    hint: 'nsq topic list and nsq channel list show what there is',
  });
}

const AGAIN = 'Give the command again when all answer: where it is done already, that does no harm';

function hintFor(failures: readonly { kind: NodeOutcome['kind']; error: NodeError }[]): string {
  const kinds = [...new Set(failures.map(({ kind }) => kind))];
  if (failures.every(({ error }) => error.code === 'E_TLS')) return TRUST;
  if (!failures.every(({ error }) => error.code === 'E_UNREACHABLE') || kinds.length > 1) return AGAIN;
  const [kind] = kinds;
  const start = kind === 'nsqd' ? 'a broker with "nsq serve"' : 'one with "nsq lookupd"';
  return `Start ${start}, or name those that run with --${kind}-http-address, and give the command again`;
}

const PAST: Readonly<Record<Verb, string>> = {
  create: 'created',
  delete: 'deleted',
  empty: 'emptied',
  pause: 'paused',
  unpause: 'unpaused',
};

export function past(verb: Verb): string {
  return PAST[verb];
}
