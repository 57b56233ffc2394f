import type { ChannelModel, Known, Model, TopicModel } from './model.js';
import type { Random } from './random.js';

interface ChannelStats {
  channel_name: string;
  depth: number;
  in_flight_count: number;
  deferred_count: number;
  paused: boolean;
}

interface TopicStats {
  topic_name: string;
  depth: number;
  paused: boolean;
  channels: ChannelStats[];
}

/** What the operators of the model's topics do, over HTTP. */
export class Admin {
  readonly #model: Model;
  readonly #address: string;
  #stopped = false;
  #run: Promise<void> = Promise.resolve();

  constructor(model: Model, address: string) {
    this.#model = model;
    this.#address = address;
  }

  /** Does this and that until it is stopped or the broker ends. */
  start(random: Random): void {
    this.#run = this.#loop(random);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#run;
  }

  async pauseChannel(channel: ChannelModel, paused: boolean): Promise<boolean> {
    channel.paused = undefined;
    channel.pauses++;
    const done = await this.#post(
      `/channel/${paused ? 'pause' : 'unpause'}`,
      channel.topic.name,
      channel.name,
    );
    if (done) channel.paused = paused;
    return done;
  }

  async pauseTopic(topic: TopicModel, paused: boolean): Promise<boolean> {
    topic.paused = undefined;
    topic.pauses++;
    const done = await this.#post(`/topic/${paused ? 'pause' : 'unpause'}`, topic.name);
    if (done) topic.paused = paused;
    return done;
  }

  async createChannel(channel: ChannelModel): Promise<boolean> {
    if (!channel.exists) channel.exists = undefined;
    if (!(await this.#post('/topic/create', channel.topic.name))) return false;
    const done = await this.#post('/channel/create', channel.topic.name, channel.name);
    if (done) channel.exists = true;
    return done;
  }

  async createTopic(topic: TopicModel): Promise<boolean> {
    return this.#post('/topic/create', topic.name);
  }

  async deleteTopic(topic: TopicModel): Promise<boolean> {
    this.#model.deleting(topic);
    const done = await this.#post('/topic/delete', topic.name);
    if (done) this.#model.deleted(topic);
    return done;
  }

  async deleteChannel(channel: ChannelModel): Promise<boolean> {
    channel.exists = undefined;
    const done = await this.#post('/channel/delete', channel.topic.name, channel.name);
    if (done) {
      channel.exists = false;
      channel.paused = false;
      channel.fates.clear();
    }
    return done;
  }

  /** Compares the broker's topics, channels, pauses and counts with the model; what was not known is now. */
  async verify(): Promise<void> {
    const stats = await this.stats();
    for (const topic of this.#model.topics) {
      const found = stats.find((it) => it.topic_name === topic.name);
      const where = `after the start: ${topic.name}`;
      // One that was deleted may be there again, but without a channel: those are only made once it is known.
      if (topic.deletion && (found?.channels.length ?? 0) > 0) this.#model.notDeleted(topic);
      else if (topic.deletion) this.#model.deleted(topic);
      topic.paused = this.#compare(`${where} paused`, topic.paused, found?.paused ?? false);
      for (const channel of topic.channels) {
        const its = found?.channels.find((it) => it.channel_name === channel.name);
        channel.exists = this.#compare(`${where}/${channel.name} exists`, channel.exists, its !== undefined);
        channel.paused = this.#compare(
          `${where}/${channel.name} paused`,
          channel.paused,
          its?.paused ?? false,
        );
        if (!its || !found || channel.name.startsWith(SCRATCH)) continue;
        const waiting = found.depth + its.depth + its.deferred_count + its.in_flight_count;
        const { low, high } = this.#model.bounds(channel);
        if (waiting < low || waiting > high)
          this.#model.fault(`${where}/${channel.name} has ${waiting} messages, not ${low} to ${high}`);
      }
    }
  }

  /** Messages that wait anywhere. */
  async waiting(): Promise<number> {
    let count = 0;
    for (const topic of await this.stats()) {
      if (topic.topic_name.includes('#')) continue;
      count += topic.depth;
      for (const it of topic.channels) count += it.depth + it.in_flight_count + it.deferred_count;
    }
    return count;
  }

  async stats(): Promise<TopicStats[]> {
    const response = await fetch(`http://${this.#address}/stats?format=json`);
    const stats = (await response.json()) as { topics: TopicStats[] };
    return stats.topics;
  }

  #compare(what: string, known: Known, found: boolean): boolean {
    if (known !== undefined && known !== found) this.#model.fault(`${what}: ${found}, not ${known}`);
    return found;
  }

  async #loop(random: Random): Promise<void> {
    let going = true;
    while (going && !this.#stopped) {
      going = await this.#act(random);
      await new Promise((resolve) => setTimeout(resolve, random.int(0, 30)));
    }
  }

  async #act(random: Random): Promise<boolean> {
    const topic = random.pick(this.#model.topics);
    const lasting = topic.channels.filter((it) => !it.name.startsWith(SCRATCH));
    const choice = random.next();
    if (topic.name === PASSING && lasting[0]?.exists === true && random.chance(0.4)) {
      const done = await this.deleteTopic(topic);
      return done && (random.chance(0.5) ? this.createChannel(topic.channel('c0')) : true);
    }
    if (choice < 0.1 && lasting[0]?.exists === true) return this.pauseTopic(topic, topic.paused !== true);
    // The first channel of a topic gets what was there before: it must be known which one that is.
    const begun = lasting[0]?.exists === true;
    if (choice < 0.2 && lasting.length < 3 && (begun || lasting.length === 0))
      return this.createChannel(topic.channel(`c${lasting.length}`));
    if (choice < 0.5 && begun) {
      const channel = topic.channel(`${SCRATCH}${random.int(0, 1)}`);
      return channel.exists ? this.deleteChannel(channel) : this.createChannel(channel);
    }
    const channel = lasting.length > 0 ? random.pick(lasting) : undefined;
    if (channel?.exists !== true) return true;
    return this.pauseChannel(channel, channel.paused !== true);
  }

  async #post(path: string, topic: string, channel?: string): Promise<boolean> {
    const query = `topic=${topic}${channel === undefined ? '' : `&channel=${channel}`}`;
    try {
      const response = await fetch(`http://${this.#address}${path}?${query}`, { method: 'POST' });
      const text = await response.text();
      if (response.status === 200) return true;
      this.#model.fault(`${path}?${query} was answered with ${response.status} ${text}`);
      return false;
    } catch {
      return false;
    }
  }
}

/** The topic that is deleted now and then. */
export const PASSING = 'passing';

/** Channels that nobody reads. */
export const SCRATCH = 'scratch';
