import type { JsonAnswer } from '../../net/json-request.js';
import { type Address, parseAddress } from '../address.js';

export interface Lookup {
  /** Every nsqd that has the topic, by its address in normal form. */
  readonly nsqds: ReadonlyMap<string, Address>;
  /** What the lookupd can be asked with to answer when this changes; undefined when it does not offer that. */
  readonly index: number | undefined;
}

const NOT_FOUND = 404;
/** What nsqds, and every other daemon of NSQ, say of paths that they do not have. */
const NO_SUCH_PATH = 'NOT_FOUND';

/**
 * Reads the answer to a look-up. Entries that name no place to connect to are left out: the others are of use.
 * @throws Error when it is no such answer at all
 */
export function readLookup({ status, json }: JsonAnswer): Lookup {
  const fields = asObject(json);
  if (!fields) throw new Error(`answered with status ${status} and no JSON object`);
  const index = Number.isSafeInteger(fields.index) ? (fields.index as number) : undefined;
  if (status === NOT_FOUND && fields.message === NO_SUCH_PATH)
    throw new Error('answered that it has no look-ups; it is to be the HTTP address of a lookupd');
  if (status === NOT_FOUND) return { nsqds: new Map(), index };
  if (status !== 200) throw new Error(`answered with status ${status}`);
  // Before 1.0, nsqlookupd put its answers into an envelope.
  const { producers } = asObject(fields.data) ?? fields;
  if (!Array.isArray(producers)) throw new Error('answered without a list of producers');
  const addresses = producers.flatMap((one: unknown) => addressOf(one) ?? []);
  return { nsqds: new Map(addresses.map((address) => [address.text, address])), index };
}

function addressOf(producer: unknown): Address | undefined {
  const { broadcast_address: host, tcp_port: port } = asObject(producer) ?? {};
  if (typeof host !== 'string' || typeof port !== 'number') return undefined;
  if (host === '' || host.includes('/')) return undefined;
  try {
    return parseAddress(host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`);
  } catch {
    return undefined;
  }
}

function asObject(value: unknown): Readonly<Record<string, unknown>> | undefined {
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
  return isObject ? (value as Record<string, unknown>) : undefined;
}
