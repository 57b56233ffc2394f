import { UsageError } from '../errors.js';
import { nearest } from '../suggestion.js';
import { byName } from './report.js';
import { MEASURES, type Measure, type Row } from './row.js';

/** Which rows of a report are shown, and in which order. */
export type Selection = (rows: readonly Row[]) => Row[];

type SortKey = 'topic' | 'channel' | 'node' | Measure;

/** The names of nsq_stat's columns, and others that are near. */
const ALIASES: Readonly<Record<string, SortKey>> = {
  name: 'topic',
  total: 'depth',
  mem: 'memory',
  inflt: 'inFlight',
  def: 'deferred',
  req: 'requeues',
  requeued: 'requeues',
  to: 'timeouts',
  timedout: 'timeouts',
  msgs: 'messages',
  ingress: 'rate',
  in: 'rate',
  ins: 'rate',
  egress: 'outRate',
  out: 'outRate',
  outs: 'outRate',
  clients: 'connections',
  conns: 'connections',
};
const KEYS: readonly SortKey[] = ['topic', 'channel', 'node', ...MEASURES];

/**
 * @param sort a column; numbers go down, names up
 * @param filters patterns as in {@link matcher}; a row that fits one of them is shown, and without any all are
 * Throws {@link UsageError}.
 */
export function selection(sort: string, filters: readonly string[]): Selection {
  const key = sortKey(sort);
  const order = key === 'topic' ? byName : orderBy(key);
  const matchers = filters.map(matcher);
  return (rows) => {
    const shown =
      matchers.length === 0 ? [...rows] : rows.filter((row) => matchers.some((fits) => fits(row)));
    return shown.sort(order);
  };
}

/** The column that is meant, however it is written: `inFlight`, `in-flight`, `in_flight`, `inflt`. */
export function sortKey(text: string): SortKey {
  const word = text.toLowerCase().replace(/[^a-z]/g, '');
  const key = KEYS.find((candidate) => candidate.toLowerCase() === word) ?? ALIASES[word];
  if (key !== undefined) return key;
  const near = nearest(word, KEYS);
  throw new UsageError(`--sort "${text}" is no column`, {
    hint: near ? `Did you mean ${near}?` : `The columns are ${KEYS.join(', ')}`,
  });
}

function orderBy(key: Exclude<SortKey, 'topic'>): (one: Row, other: Row) => number {
  return (one, other) => {
    const [left, right] = [one[key], other[key]];
    if (left === right) return byName(one, other);
    if (left === undefined) return 1;
    if (right === undefined) return -1;
    if (typeof left === 'string' || typeof right === 'string') return left < right ? -1 : 1;
    return right - left;
  };
}

/**
 * `*` and `?` stand for any letters and any letter; a pattern without them fits names that contain it. With a slash its
 * parts are for topic and channel; otherwise either name may fit.
 */
function matcher(pattern: string): (row: Row) => boolean {
  const [topic = '', channel, ...rest] = pattern.split('/');
  if (rest.length > 0) {
    throw new UsageError(`--filter "${pattern}" has more than one slash`, {
      hint: 'As in --filter topic/channel, each with * and ? where wanted',
    });
  }
  if (channel === undefined) {
    const fits = nameMatcher(topic);
    return (row) => fits(row.topic) || (row.channel !== '' && fits(row.channel));
  }
  const [fitsTopic, fitsChannel] = [nameMatcher(topic), nameMatcher(channel)];
  return (row) => row.channel !== '' && fitsTopic(row.topic) && fitsChannel(row.channel);
}

function nameMatcher(pattern: string): (name: string) => boolean {
  if (!/[*?]/.test(pattern)) return (name) => name.includes(pattern);
  const source = pattern
    .replace(/\*+/g, '*')
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  const expression = new RegExp(`^${source}$`, 's');
  return (name) => expression.test(name);
}
