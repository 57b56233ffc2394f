import type { Answer } from '../../http/route.js';
import { goJson } from '../../protocol/go-json.js';
import type { Lookupd } from '../lookupd.js';
import type { Peer } from '../registration.js';
import type { Request } from './routes.js';

/** The last answer of each lookupd, for as long as nothing changes. */
const ANSWERS = new WeakMap<Lookupd, { readonly version: number; readonly encoded: Buffer }>();

/** GET /nodes: the active brokers and their topics, and for each of these whether it is tombstoned there. */
export function nodes({ lookupd }: Request): Answer {
  const { version } = lookupd.db;
  let answer = ANSWERS.get(lookupd);
  if (answer?.version !== version) {
    const producers = Array.from(lookupd.db.activePeers(), describe);
    answer = { version, encoded: Buffer.from(goJson({ producers })) };
    ANSWERS.set(lookupd, answer);
  }
  return answer;
}

function describe({ info, producers: those }: Peer): Record<string, unknown> {
  const producers = [...those];
  return {
    ...info,
    tombstones: producers.map(({ tombstoned }) => tombstoned),
    topics: producers.map(({ topic }) => topic.name),
  };
}
