import { isEphemeral, isValidName } from '../../protocol/names.js';
import type { TopicMetadata } from './metadata.js';

const METADATA = 'nsqd.dat';
/** nsqd before 1.0 had its worker id in the name, and later versions linked one to the other. */
const NUMBERED_METADATA = /^nsqd\.\d+\.dat$/;
const QUEUE_FILE = /^(.+)\.diskqueue\.(\d{6,}|meta)\.dat$/;
const BAD_FILE = /^(.+)\.diskqueue\.\d{6,}\.dat\.bad$/;
/** What nsqd was about to rename when it died. */
const UNFINISHED = /^(?:nsqd\.dat|.+\.diskqueue\.meta\.dat)\.\d+\.tmp$/;
/** Between a topic's and a channel's name; the second one on Windows. */
const SEPARATOR = /[:;]/;

/** The files of one of nsqd's queues, by name. */
export interface QueueFiles {
  /** The topic's name, or `topic:channel`. */
  readonly name: string;
  /** The position file; empty if there is none. */
  meta: string;
  /** Data files in order. */
  readonly data: { readonly number: number; readonly name: string }[];
}

export interface FoundChannel {
  readonly name: string;
  paused: boolean;
  /** nsqd.dat lists it. */
  listed: boolean;
  queue: QueueFiles;
}

export interface FoundTopic {
  readonly name: string;
  paused: boolean;
  listed: boolean;
  /** Messages that nsqd had not passed to the channels. */
  queue: QueueFiles;
  readonly channels: Map<string, FoundChannel>;
}

/** What nsqd left in a data path. */
export interface Inventory {
  /** Its metadata file, or files: the first one counts. */
  readonly metadata: readonly string[];
  readonly topics: ReadonlyMap<string, FoundTopic>;
  /** Files that nothing is imported from: those that nsqd gave up, and queues of topics and channels that are none. */
  readonly unused: readonly string[];
  readonly warnings: readonly string[];
}

export function metadataFiles(names: readonly string[]): string[] {
  const numbered = names.filter((name) => NUMBERED_METADATA.test(name)).sort();
  return names.includes(METADATA) ? [METADATA, ...numbered] : numbered;
}

/** Whether nsqd left anything among these files. */
export function hasNsqdFiles(names: readonly string[]): boolean {
  return names.some((name) => name === METADATA || NUMBERED_METADATA.test(name) || QUEUE_FILE.test(name));
}

/** Sorts a data path's file names by topic and channel, and adds what the metadata lists. */
export function takeInventory(names: readonly string[], listed: readonly TopicMetadata[]): Inventory {
  const topics = new Map<string, FoundTopic>();
  const warnings = new Set<string>();
  const unused: string[] = [];
  const bad = new Map<string, number>();

  const topicOf = (name: string): FoundTopic => {
    let topic = topics.get(name);
    if (!topic) {
      topic = { name, paused: false, listed: false, queue: noFiles(name), channels: new Map() };
      topics.set(name, topic);
    }
    return topic;
  };
  const channelOf = (topic: FoundTopic, name: string): FoundChannel => {
    let channel = topic.channels.get(name);
    if (!channel) {
      channel = { name, paused: false, listed: false, queue: noFiles(`${topic.name}:${name}`) };
      topic.channels.set(name, channel);
    }
    return channel;
  };
  const usable = (name: string, what: string): boolean => {
    if (!isValidName(name)) warnings.add(`${what} left out: '${name}' is no valid name`);
    else if (isEphemeral(name)) warnings.add(`${what} left out: '${name}' is ephemeral`);
    else return true;
    return false;
  };

  for (const { name, paused, channels } of listed) {
    if (!usable(name, 'topic')) continue;
    const topic = topicOf(name);
    topic.listed = true;
    topic.paused ||= paused;
    for (const { name: channelName, paused: channelPaused } of channels) {
      if (!usable(channelName, `channel of topic ${name}`)) continue;
      const channel = channelOf(topic, channelName);
      channel.listed = true;
      channel.paused ||= channelPaused;
    }
  }
  /** The queue of a topic or channel by its name in a file's; undefined if it can be of none. */
  const queueOf = (queueName: string): QueueFiles | undefined => {
    const [topicName = '', channelName, ...rest] = queueName.split(SEPARATOR);
    const what = `queue ${queueName}`;
    if (!usable(topicName, what)) return undefined;
    if (channelName === undefined) return topicOf(topicName).queue;
    return usable([channelName, ...rest].join(':'), what)
      ? channelOf(topicOf(topicName), channelName).queue
      : undefined;
  };
  for (const name of names) {
    const [, badQueue] = BAD_FILE.exec(name) ?? [];
    if (badQueue !== undefined) bad.set(badQueue, (bad.get(badQueue) ?? 0) + 1);
    if (badQueue !== undefined || UNFINISHED.test(name)) unused.push(name);
    const match = QUEUE_FILE.exec(name);
    if (!match) continue;
    const [, queueName = '', part = ''] = match;
    const queue = queueOf(queueName);
    if (!queue) unused.push(name);
    else if (part === 'meta') queue.meta = name;
    else queue.data.push({ number: Number(part), name });
  }
  for (const [queueName, count] of bad) {
    warnings.add(`queue ${queueName}: left out what nsqd could not read, .bad files: ${count}`);
  }
  for (const { queue, channels } of topics.values()) {
    for (const { data } of [queue, ...[...channels.values()].map((channel) => channel.queue)]) {
      data.sort((a, b) => a.number - b.number);
    }
  }
  return { metadata: metadataFiles(names), topics, unused, warnings: [...warnings] };
}

/** Every file of a topic and its channels. */
export function filesOf({ queue, channels }: FoundTopic): string[] {
  return [queue, ...[...channels.values()].map((channel) => channel.queue)].flatMap(({ meta, data }) => [
    ...data.map(({ name }) => name),
    ...(meta === '' ? [] : [meta]),
  ]);
}

function noFiles(name: string): QueueFiles {
  return { name, meta: '', data: [] };
}
