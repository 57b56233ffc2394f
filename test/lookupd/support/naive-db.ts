interface Row {
  readonly category: 'topic' | 'channel';
  readonly topic: string;
  readonly channel: string;
  /** Producer by name, and when it was tombstoned. */
  readonly producers: Map<string, number | undefined>;
}

const isEphemeral = (name: string): boolean => name.endsWith('#ephemeral');

/** The directory as one list that every question walks through: slow, and plainly right. */
export class NaiveDb {
  now = 1000;
  readonly #inactive: number;
  readonly #lifetime: number;
  readonly #lastUpdate = new Map<string, number>();
  #rows: Row[] = [];

  constructor(inactive: number, lifetime: number) {
    this.#inactive = inactive;
    this.#lifetime = lifetime;
  }

  addPeer(name: string): void {
    this.ping(name);
  }

  ping(name: string): void {
    this.#lastUpdate.set(name, this.now);
  }

  removePeer(name: string): void {
    for (const row of this.#rows.filter(({ producers }) => producers.has(name))) this.#leave(row, name);
    this.#lastUpdate.delete(name);
  }

  create(topic: string, channel: string): void {
    this.#row('topic', topic, '');
    if (channel !== '') this.#row('channel', topic, channel);
  }

  register(name: string, topic: string, channel: string): void {
    this.create(topic, channel);
    for (const row of [this.#find('topic', topic, ''), this.#find('channel', topic, channel)])
      if (row && !row.producers.has(name)) row.producers.set(name, undefined);
  }

  unregister(name: string, topic: string, channel: string): void {
    const concerns = ({ category, ...row }: Row): boolean =>
      row.topic === topic &&
      (channel === ''
        ? category === 'topic' || row.producers.has(name)
        : category === 'channel' && row.channel === channel);
    for (const row of this.#rows.filter(concerns)) this.#leave(row, name);
  }

  tombstone(topic: string, name: string): void {
    const producers = this.#find('topic', topic, '')?.producers;
    if (producers?.has(name)) producers.set(name, this.now);
  }

  deleteTopic(topic: string): void {
    this.#rows = this.#rows.filter((row) => row.topic !== topic);
  }

  deleteChannel(topic: string, channel: string): boolean {
    const row = this.#find('channel', topic, channel);
    this.#rows = this.#rows.filter((it) => it !== row);
    return row !== undefined;
  }

  answers(names: readonly string[]): Record<string, unknown> {
    const topics = this.#rows.filter(({ category }) => category === 'topic');
    const channelsOf = (name: string): Row[] =>
      this.#rows.filter(({ category, topic }) => category === 'channel' && topic === name);
    return {
      topics: topics.map(({ topic }) => topic).sort(),
      nodes: [...this.#lastUpdate.keys()]
        .filter((name) => this.#active(name))
        .map((name) => [
          name,
          topics
            .filter(({ producers }) => producers.has(name))
            .map((row) => `${row.topic} ${this.#tombstoned(row, name)}`)
            .sort(),
        ])
        .sort(),
      lookups: names.map((name) => {
        const row = this.#find('topic', name, '');
        const producers = row
          ? [...row.producers.keys()].filter((it) => this.#active(it) && !this.#tombstoned(row, it)).sort()
          : ['none'];
        return [
          channelsOf(name)
            .map(({ channel }) => channel)
            .sort(),
          producers,
        ];
      }),
      channelProducers: names.map((name) =>
        channelsOf(name)
          .map(({ channel, producers }) => [channel, [...producers.keys()].sort()])
          .sort(),
      ),
    };
  }

  #active(name: string): boolean {
    return this.now - (this.#lastUpdate.get(name) ?? 0) <= this.#inactive;
  }

  #tombstoned({ producers }: Row, name: string): boolean {
    const at = producers.get(name);
    return at !== undefined && this.now - at < this.#lifetime;
  }

  #find(category: Row['category'], topic: string, channel: string): Row | undefined {
    return this.#rows.find(
      (row) => row.category === category && row.topic === topic && row.channel === channel,
    );
  }

  #row(category: Row['category'], topic: string, channel: string): void {
    if (!this.#find(category, topic, channel))
      this.#rows.push({ category, topic, channel, producers: new Map() });
  }

  #leave(row: Row, name: string): void {
    row.producers.delete(name);
    if (row.producers.size > 0) return;
    if (row.category === 'topic' && isEphemeral(row.topic)) this.deleteTopic(row.topic);
    if (row.category === 'channel' && isEphemeral(row.channel))
      this.#rows = this.#rows.filter((it) => it !== row);
  }
}
