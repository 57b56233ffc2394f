import { HttpError, parseQuery } from '../../http/query.js';
import type { Answer } from '../../http/route.js';
import { nameParam, requiredParam } from './params.js';
import type { Request } from './routes.js';

/** POST /topic/create?topic=… */
export function topicCreate({ lookupd, rawQuery }: Request): Answer {
  const topic = nameParam(parseQuery(rawQuery), 'topic');
  lookupd.logger.info(`DB: adding topic(${topic})`);
  lookupd.db.createTopic(topic);
  return undefined;
}

/** POST /topic/delete?topic=…: also the topic's channels. A topic that is not there is no error. */
export function topicDelete({ lookupd, rawQuery }: Request): Answer {
  const topic = requiredParam(parseQuery(rawQuery), 'topic');
  if (lookupd.db.deleteTopic(topic)) lookupd.logger.info(`DB: removing topic(${topic}) and its channels`);
  return undefined;
}

/** POST /topic/tombstone?topic=…&node=broadcast-address:http-port */
export function topicTombstone({ lookupd, rawQuery }: Request): Answer {
  const query = parseQuery(rawQuery);
  const topic = requiredParam(query, 'topic');
  const node = requiredParam(query, 'node');
  lookupd.logger.info(`DB: setting tombstone for producer@${node} of topic(${topic})`);
  lookupd.db.tombstone(topic, node);
  lookupd.armTimer();
  return undefined;
}

/** POST /channel/create?topic=…&channel=…: also the topic. */
export function channelCreate({ lookupd, rawQuery }: Request): Answer {
  const query = parseQuery(rawQuery);
  const topic = nameParam(query, 'topic');
  const channel = nameParam(query, 'channel');
  lookupd.logger.info(`DB: adding channel(${channel}) in topic(${topic})`);
  lookupd.db.createChannel(topic, channel);
  return undefined;
}

/** POST /channel/delete?topic=…&channel=… */
export function channelDelete({ lookupd, rawQuery }: Request): Answer {
  const query = parseQuery(rawQuery);
  const topic = nameParam(query, 'topic');
  const channel = nameParam(query, 'channel');
  if (!lookupd.db.deleteChannel(topic, channel)) throw new HttpError(404, 'CHANNEL_NOT_FOUND');
  lookupd.logger.info(`DB: removing channel(${channel}) from topic(${topic})`);
  return undefined;
}
