import { HttpError } from '../../http/query.js';
import type { Answer } from '../../http/route.js';
import { isValidName } from '../../protocol/names.js';
import type { Channel } from '../channel.js';
import type { Topic } from '../topic.js';
import type { Request } from './routes.js';

/** The topic that `/pub`, `/mpub` and `/topic/create` name, made if there is none. */
export function namedTopic({ broker, query }: Request): Topic {
  const name = query.get('topic');
  if (name === undefined) throw new HttpError(400, 'MISSING_ARG_TOPIC');
  if (!isValidName(name)) throw new HttpError(400, 'INVALID_TOPIC');
  return broker.topic(name);
}

export function topicCreate(request: Request): Answer {
  namedTopic(request);
  return undefined;
}

export function topicDelete({ broker, query }: Request): Answer {
  const name = query.get('topic');
  if (name === undefined) throw new HttpError(400, 'MISSING_ARG_TOPIC');
  if (!broker.deleteTopic(name)) throw new HttpError(404, 'TOPIC_NOT_FOUND');
  return undefined;
}

export function topicEmpty({ broker, query }: Request): Answer {
  const name = query.get('topic');
  if (name === undefined) throw new HttpError(400, 'MISSING_ARG_TOPIC');
  if (!isValidName(name)) throw new HttpError(400, 'INVALID_TOPIC');
  return lasting(existing(broker.topics.get(name)), (topic) => topic.empty());
}

export function topicPause({ broker, query }: Request, paused: boolean): Answer {
  const name = query.get('topic');
  if (name === undefined) throw new HttpError(400, 'MISSING_ARG_TOPIC');
  return lasting(existing(broker.topics.get(name)), (topic) => topic.pause(paused));
}

export function channelCreate(request: Request): Answer {
  const { topic, name } = topicAndChannel(request);
  return lasting(topic, () => topic.channel(name));
}

export function channelDelete(request: Request): Answer {
  const { topic, name } = topicAndChannel(request);
  if (!topic.channels.has(name)) throw new HttpError(404, 'CHANNEL_NOT_FOUND');
  return lasting(topic, () => topic.deleteChannel(name));
}

export function channelEmpty(request: Request): Answer {
  const channel = existingChannel(request);
  return lasting(channel.topic, () => channel.empty());
}

export function channelPause(request: Request, paused: boolean): Answer {
  const channel = existingChannel(request);
  return lasting(channel.topic, () => channel.pause(paused));
}

/** Does something that is to last: where that could not be written down, it is done, but a crash would undo it. */
function lasting(topic: Topic, act: (topic: Topic) => void): Answer {
  act(topic);
  const cause = topic.journalError;
  if (cause) throw new HttpError(500, 'INTERNAL_ERROR', { cause });
  return undefined;
}

function existing(topic: Topic | undefined): Topic {
  if (!topic) throw new HttpError(404, 'TOPIC_NOT_FOUND');
  return topic;
}

function existingChannel(request: Request): Channel {
  const { topic, name } = topicAndChannel(request);
  const channel = topic.channels.get(name);
  if (!channel) throw new HttpError(404, 'CHANNEL_NOT_FOUND');
  return channel;
}

function topicAndChannel({ broker, query }: Request): { topic: Topic; name: string } {
  const topicName = query.get('topic');
  if (topicName === undefined) throw new HttpError(400, 'MISSING_ARG_TOPIC');
  if (!isValidName(topicName)) throw new HttpError(400, 'INVALID_ARG_TOPIC');
  const name = query.get('channel');
  if (name === undefined) throw new HttpError(400, 'MISSING_ARG_CHANNEL');
  if (!isValidName(name)) throw new HttpError(400, 'INVALID_ARG_CHANNEL');
  return { topic: existing(broker.topics.get(topicName)), name };
}
