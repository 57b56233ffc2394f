import { HttpError, parseQuery, type Query } from '../../http/query.js';
import type { Answer } from '../../http/route.js';
import { parseDuration } from '../../protocol/duration.js';
import { goJson } from '../../protocol/go-json.js';
import type { Topic } from '../registration.js';
import type { RegistrationDb } from '../registration-db.js';
import { requiredParam } from './params.js';
import type { Request } from './routes.js';

/** The longest wait; a longer one that is asked for is cut to it. */
const MAX_WAIT_MS = 300_000;
const NO_INDEX = -1;

/** What a look-up that watches asks for. */
interface Watch {
  /** The index of the last answer; {@link NO_INDEX} without one. */
  readonly index: number;
  readonly waitMs: number;
}

/** A topic's answer for as long as it does not change. */
interface Encoded {
  readonly version: number;
  readonly plain: Buffer;
  /** The same with its index; made when it is asked for. */
  indexed?: Buffer;
}

const ANSWERS = new WeakMap<Topic, Encoded>();

/**
 * GET /lookup?topic=…[&wait=30s][&index=N]: the topic's channels and the brokers that have it. With `wait` or `index` the
 * answer carries an index of its own. Given back, the next answer comes when there is something new, or after `wait`.
 */
export function lookup({ lookupd, rawQuery, onClosed }: Request): Answer | Promise<Answer> {
  const query = parseQuery(rawQuery);
  const name = requiredParam(query, 'topic');
  const watch = readWatch(query);
  const { db, watchers } = lookupd;
  // Without an index the asker takes us for a lookupd that cannot be watched, and comes back at its own pace.
  const indexed = watch !== undefined && watchers.open;
  if (!indexed || watch.waitMs === 0 || watch.index !== db.versionOf(name)) return answer(db, name, indexed);
  return lookupd.watch(name, watch.waitMs, onClosed).then(() => answer(db, name, true));
}

function readWatch(query: Query): Watch | undefined {
  const wait = query.get('wait');
  const index = query.get('index');
  if (wait === undefined && index === undefined) return undefined;
  return { waitMs: readWait(wait ?? '0'), index: index === undefined ? NO_INDEX : readIndex(index) };
}

function readWait(text: string): number {
  try {
    const ms = parseDuration(text);
    if (ms >= 0) return Math.min(ms, MAX_WAIT_MS);
  } catch (cause) {
    throw new HttpError(400, 'INVALID_ARG_WAIT', { cause });
  }
  throw new HttpError(400, 'INVALID_ARG_WAIT');
}

function readIndex(text: string): number {
  if (!/^\d{1,16}$/.test(text)) throw new HttpError(400, 'INVALID_ARG_INDEX');
  return Number(text);
}

function answer(db: RegistrationDb, name: string, indexed: boolean): Answer {
  const topic = db.topic(name);
  if (!topic)
    throw new HttpError(404, 'TOPIC_NOT_FOUND', indexed ? { fields: { index: db.versionOf(name) } } : {});
  const encoded = encode(db, topic);
  if (!indexed) return { encoded: encoded.plain };
  encoded.indexed ??= Buffer.from(
    `${encoded.plain.toString('utf8', 0, encoded.plain.length - 1)},"index":${topic.version}}`,
  );
  return { encoded: encoded.indexed };
}

function encode(db: RegistrationDb, topic: Topic): Encoded {
  const known = ANSWERS.get(topic);
  if (known?.version === topic.version) return known;
  const body = { channels: [...topic.channels.keys()], producers: [...db.producersOf(topic)] };
  const encoded = { version: topic.version, plain: Buffer.from(goJson(body)) };
  ANSWERS.set(topic, encoded);
  return encoded;
}
