import { BrokerError, messageOf } from '../errors.js';

interface ChannelMetadata {
  readonly name: string;
  readonly paused: boolean;
}

export interface TopicMetadata {
  readonly name: string;
  readonly paused: boolean;
  readonly channels: readonly ChannelMetadata[];
}

/**
 * What nsqd's metadata file says: `{"topics":[{"name":…,"paused":…,"channels":[{"name":…,"paused":…}]}],"version":…}`.
 * A list that is empty may be null, and unknown members are passed over.
 * @param path named in the error
 * @throws BrokerError E_FORMAT if it is something else
 */
export function parseMetadata(text: string, path: string): TopicMetadata[] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw unreadable(path, messageOf(cause), cause);
  }
  if (!isObject(value)) throw unreadable(path, 'it is no object');
  return list(value.topics, 'topics', path).map((topic) => ({
    ...entry(topic, path),
    channels: list(topic.channels, 'channels', path).map((channel) => entry(channel, path)),
  }));
}

function list(value: unknown, key: string, path: string): Record<string, unknown>[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value) || !value.every(isObject))
    throw unreadable(path, `"${key}" is no list of objects`);
  return value;
}

function entry({ name, paused = false }: Record<string, unknown>, path: string): ChannelMetadata {
  if (typeof name !== 'string') throw unreadable(path, 'a "name" is no text');
  if (typeof paused !== 'boolean') throw unreadable(path, `"paused" of "${name}" is neither true nor false`);
  return { name, paused };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function unreadable(path: string, why: string, cause?: unknown): BrokerError {
  return new BrokerError(
    'E_FORMAT',
    `cannot read nsqd's metadata in ${path}: ${why}; nothing was imported (without this file, topics and channels are found by their queue files, and none is paused)`,
    cause === undefined ? undefined : { cause },
  );
}
