import type { RawMessage } from '../../support/wire.js';
import { Random } from './random.js';
import { REFUSAL } from './victim.js';

/** A message that was sent, and what is known of it. */
export interface Sent {
  readonly topic: TopicModel;
  /** Its number among all messages of the run. */
  readonly seq: number;
  readonly size: number;
  /** The messages of one MPUB; they are kept together or not at all. */
  readonly batch: readonly Sent[];
  /** Who published it: one producer's messages keep their order. */
  readonly producer: number;
  /** Not before this time, ms since 1970; 0 for at once. */
  readonly due: number;
  /** Channels that existed for sure when it was published. */
  readonly required: readonly ChannelModel[];
  /** The topic's pause that it was published in, 0 if it was not paused for sure. */
  readonly pause: number;
  /** `unsure`: the broker was killed before it answered; `refused`: a limit was reached. */
  outcome: 'open' | 'ok' | 'unsure' | 'refused';
  /** What the deletion of its topic means to it: `maybe` if nobody knows which of the two came first. */
  deleted: 'no' | 'maybe' | 'yes';
  id: string;
}

/** What became of a message in one channel. */
export interface Fate {
  deliveries: number;
  /** It was finished, and a commit came after. */
  finished: boolean;
  /** FIN was sent; nobody knows whether a kill came first. */
  finishing: boolean;
  /** Deliveries that a kill does not undo. */
  attempts: number;
  /** Not again before this time, ms since 1970. */
  notBefore: number;
}

/** Known, or unknown because the broker was killed before it answered. */
export type Known = boolean | undefined;

export class ChannelModel {
  readonly topic: TopicModel;
  readonly name: string;
  exists: Known = false;
  paused: Known = false;
  /** Counts what was said about pausing. */
  pauses = 1;
  readonly fates = new Map<Sent, Fate>();

  constructor(topic: TopicModel, name: string) {
    this.topic = topic;
    this.name = name;
  }

  fate(sent: Sent): Fate {
    let fate = this.fates.get(sent);
    if (!fate) {
      fate = { deliveries: 0, finished: false, finishing: false, attempts: 0, notBefore: 0 };
      this.fates.set(sent, fate);
    }
    return fate;
  }
}

/** Messages that were there for sure before a topic was to be deleted, and those of which nobody knows. */
interface Deletion {
  readonly before: ReadonlySet<Sent>;
  readonly during: Sent[];
}

export class TopicModel {
  readonly name: string;
  paused: Known = false;
  /** Counts what was said about pausing. */
  pauses = 1;
  channels: ChannelModel[] = [];
  sent: Sent[] = [];
  /** It is being deleted, and had these messages before; nobody has said yet that it is done. */
  deletion: Deletion | undefined;
  /** Ids of what was checked already and is forgotten else. */
  readonly ids = new Map<string, number>();

  constructor(name: string) {
    this.name = name;
  }

  channel(name: string): ChannelModel {
    let channel = this.channels.find((it) => it.name === name);
    if (!channel) {
      channel = new ChannelModel(this, name);
      this.channels.push(channel);
    }
    return channel;
  }
}

const CLOCK_SLACK = 3;

/** What the broker was told and what it answered, and so what it must do. */
export class Model {
  readonly topics: TopicModel[];
  /** What the broker did wrong. */
  readonly faults: string[] = [];
  published = 0;
  confirmed = 0;
  received = 0;
  redelivered = 0;
  refused = 0;
  deletions = 0;
  readonly #sent = new Map<number, Sent>();
  #nextSeq = 1;

  constructor(topics: readonly string[]) {
    this.topics = topics.map((name) => new TopicModel(name));
  }

  fault(text: string): void {
    if (this.faults.length < 50) this.faults.push(text);
  }

  /** Notes messages that are about to be sent together. */
  publishing(topic: TopicModel, sizes: readonly number[], producer: number, deferMs: number): Sent[] {
    const batch: Sent[] = [];
    // A topic without channels keeps everything for its first one.
    const existing = topic.channels.filter((channel) => channel.exists === true);
    for (const size of sizes) {
      const sent: Sent = {
        topic,
        seq: this.#nextSeq++,
        size,
        batch,
        producer,
        due: deferMs > 0 ? Date.now() + deferMs : 0,
        required: existing,
        pause: topic.paused === true ? topic.pauses : 0,
        outcome: 'open',
        deleted: topic.deletion ? 'maybe' : 'no',
        id: '',
      };
      batch.push(sent);
      topic.sent.push(sent);
      topic.deletion?.during.push(sent);
      this.#sent.set(sent.seq, sent);
    }
    this.published += sizes.length;
    return batch;
  }

  answered(batch: readonly Sent[], answer: string | undefined): void {
    const isRefused = answer !== undefined && REFUSAL.test(answer);
    if (answer !== undefined && answer !== 'OK' && !isRefused)
      this.fault(`a publish was answered with ${answer}`);
    for (const sent of batch) sent.outcome = answer === 'OK' ? 'ok' : isRefused ? 'refused' : 'unsure';
    if (answer === 'OK') this.confirmed += batch.length;
    if (isRefused) this.refused += batch.length;
  }

  /** A topic is about to be deleted, with its channels: what is published until that is answered may be gone or not. */
  deleting(topic: TopicModel): void {
    const isThere = ({ outcome }: Sent): boolean => outcome === 'ok' || outcome === 'refused';
    const during = topic.sent.filter((sent) => !isThere(sent) && sent.deleted === 'no');
    for (const sent of during) sent.deleted = 'maybe';
    topic.deletion = { before: new Set(topic.sent.filter(isThere)), during };
    topic.paused = undefined;
    topic.pauses++;
    for (const channel of topic.channels) {
      channel.exists = undefined;
      channel.paused = undefined;
    }
  }

  /** The topic was deleted: nothing of what was there before is to be seen again. */
  deleted(topic: TopicModel): void {
    const { before } = topic.deletion!;
    for (const sent of before) sent.deleted = 'yes';
    topic.sent = topic.sent.filter((sent) => !before.has(sent));
    topic.channels = [];
    topic.deletion = undefined;
    topic.paused = false;
    this.deletions++;
  }

  /** It was not deleted, as if nobody had asked for it. */
  notDeleted(topic: TopicModel): void {
    for (const sent of topic.deletion!.during) sent.deleted = 'no';
    topic.deletion = undefined;
  }

  /** Notes a delivery; undefined if it is none of the messages sent. */
  delivered(channel: ChannelModel, message: RawMessage): { sent: Sent; fate: Fate } | undefined {
    this.received++;
    const where = `${channel.topic.name}/${channel.name}: message ${message.id}`;
    const sent = this.#find(message.body);
    if (!sent) {
      this.fault(`${where} has a body that was never published: ${message.body.toString('latin1', 0, 60)}`);
      return undefined;
    }
    const what = `${where} (#${sent.seq}, ${sent.outcome}, attempts ${message.attempts})`;
    if (sent.outcome === 'refused') this.fault(`${what} was refused`);
    if (sent.deleted === 'yes' && channel.topic.channels.includes(channel))
      this.fault(`${what} was deleted with its topic`);
    if (sent.topic !== channel.topic) this.fault(`${what} is of topic ${sent.topic.name}`);
    const other = channel.topic.ids.get(message.id);
    if (other !== undefined && other !== sent.seq) this.fault(`${what} has the id of #${other}`);
    if (sent.id !== '' && sent.id !== message.id) this.fault(`${what} had the id ${sent.id}`);
    channel.topic.ids.set(message.id, sent.seq);
    sent.id = message.id;
    const fate = channel.fate(sent);
    if (fate.deliveries > 0) this.redelivered++;
    fate.deliveries++;
    const now = Date.now();
    if (sent.pause === channel.topic.pauses) this.fault(`${what} came although the topic is paused`);
    if (fate.finished) this.fault(`${what} was finished`);
    if (message.attempts <= fate.attempts) this.fault(`${what} was delivered ${fate.attempts} times before`);
    if (sent.due > now + CLOCK_SLACK) this.fault(`${what} came ${sent.due - now} ms before it was due`);
    if (fate.notBefore > now + CLOCK_SLACK)
      this.fault(`${what} came ${fate.notBefore - now} ms before it was due again`);
    return { sent, fate };
  }

  /** What is still to be delivered: of every message that must be there, and of those that are. */
  missing(): string[] {
    const lines: string[] = [];
    for (const topic of this.topics) {
      // What was published before there was a channel is for the first one.
      const first = topic.channels.slice(0, 1);
      for (const sent of topic.sent) {
        const seen = sent.batch.some((it) => topic.channels.some((channel) => channel.fates.has(it)));
        if ((sent.outcome !== 'ok' || sent.deleted === 'maybe') && !seen) continue;
        const required = sent.required.length > 0 ? sent.required : first;
        for (const channel of required) {
          const { finished, finishing, deliveries = 0 } = channel.fates.get(sent) ?? {};
          if (channel.exists === true && !finished && !finishing) {
            lines.push(
              `${topic.name}/${channel.name}: #${sent.seq} ${sent.outcome} id ${sent.id} ` +
                `batch of ${sent.batch.length} from #${sent.batch[0]!.seq}, ${sent.size} bytes, due ${sent.due}, ` +
                `delivered ${deliveries} times`,
            );
          }
        }
      }
    }
    return lines;
  }

  /** Between how many messages must wait in the channel, or in its topic for it. */
  bounds(channel: ChannelModel): { low: number; high: number } {
    let low = 0;
    let high = 0;
    for (const sent of channel.topic.sent) {
      const fate = channel.fates.get(sent);
      if (!fate?.finished) high++;
      if (
        sent.outcome === 'ok' &&
        sent.deleted === 'no' &&
        sent.required.includes(channel) &&
        !fate?.finishing
      )
        low++;
    }
    return { low, high };
  }

  /** Each producer's messages must have ids that go up. */
  checkOrder(): void {
    for (const topic of this.topics) {
      const last = new Map<number, Sent>();
      for (const sent of topic.sent) {
        if (sent.id === '') continue;
        const before = last.get(sent.producer);
        if (before && before.id >= sent.id) {
          this.fault(
            `${topic.name}: #${before.seq} has id ${before.id}, the later #${sent.seq} has ${sent.id}`,
          );
        }
        last.set(sent.producer, sent);
      }
    }
  }

  /** Forgets what all channels have finished: the broker must have nothing left. */
  forget(): void {
    for (const topic of this.topics) {
      for (const sent of topic.sent) this.#sent.delete(sent.seq);
      topic.sent.length = 0;
      for (const channel of topic.channels) channel.fates.clear();
    }
  }

  #find(body: Buffer): Sent | undefined {
    const seq = Number(/^(\d+) /.exec(body.toString('latin1', 0, 16))?.[1] ?? -1);
    const sent = this.#sent.get(seq);
    return sent && body.equals(bodyOf(seq, sent.size)) ? sent : undefined;
  }
}

const FILLING = fill();

/** A message's body follows from its number and size, so that any wrong byte shows. */
export function bodyOf(seq: number, size: number): Buffer {
  const head = Buffer.from(`${seq} `);
  const from = (seq * 7919) % (FILLING.length / 2);
  return Buffer.concat([head, FILLING.subarray(from, from + Math.max(0, size - head.length))]);
}

function fill(): Buffer {
  const random = new Random(1);
  return Buffer.from(Array.from({ length: 512 * 1024 }, () => random.int(0, 255)));
}
