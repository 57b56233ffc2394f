import type { NodeSample, Sample } from '../cluster/cluster.js';
import type { TopicFigures } from '../cluster/nsqd-stats.js';

/** Messages a second. */
export interface Rates {
  readonly rate: number;
  readonly outRate: number;
}

/** How far from the interval a time may be and still stand for it, so that rates do not flicker. */
const TOLERANCE = 0.1;
const MS_PER_SECOND = 1000;

/** What one nsqd's counters did between two samples. */
export class NodeRates {
  readonly #seconds: number;
  readonly #before: ReadonlyMap<string, TopicFigures>;

  private constructor(seconds: number, before: ReadonlyMap<string, TopicFigures>) {
    this.#seconds = seconds;
    this.#before = before;
  }

  /** Undefined unless the nsqd has answered both times. */
  static between(
    earlier: NodeSample | undefined,
    later: NodeSample,
    intervalMs: number,
  ): NodeRates | undefined {
    if (!earlier || !('stats' in earlier) || !('stats' in later)) return undefined;
    const elapsed = later.at - earlier.at;
    const isOnTime = Math.abs(elapsed - intervalMs) <= intervalMs * TOLERANCE;
    const before = new Map<string, TopicFigures>();
    for (const topic of earlier.stats.topics) {
      before.set(key(topic.name, ''), topic);
      for (const channel of topic.channels) before.set(key(topic.name, channel.name), channel);
    }
    return new NodeRates((isOnTime ? intervalMs : elapsed) / MS_PER_SECOND, before);
  }

  of(topic: string, channel: string, now: TopicFigures): Rates {
    const before = this.#before.get(key(topic, channel));
    // A counter that went back has begun anew, with a restart or with a topic of the same name.
    const isNew = before === undefined || now.messages < before.messages;
    const came = isNew ? now.messages : now.messages - before.messages;
    const grown = now.depth - (before?.depth ?? 0);
    return { rate: came / this.#seconds, outRate: (came - grown) / this.#seconds };
  }
}

/** Of each nsqd that has answered both times, by address. */
export function ratesBetween(
  earlier: Sample | undefined,
  later: Sample,
  intervalMs: number,
): Map<string, NodeRates> {
  const before = new Map(earlier?.nodes.map((node) => [node.address, node]));
  const rates = new Map<string, NodeRates>();
  for (const node of later.nodes) {
    const one = NodeRates.between(before.get(node.address), node, intervalMs);
    if (one) rates.set(node.address, one);
  }
  return rates;
}

function key(topic: string, channel: string): string {
  return `${topic}/${channel}`;
}
