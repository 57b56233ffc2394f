import * as v from 'valibot';
import { isValidName } from '../../protocol/names.js';
import { type HttpAddress, httpAddressOf } from './http-address.js';
import { NodeError, printable } from './node-error.js';

const Producers = v.object({
  producers: v.array(
    v.object({
      broadcast_address: v.string(),
      http_port: v.number(),
      topics: v.optional(v.array(v.string()), []),
      tombstones: v.optional(v.array(v.boolean()), []),
    }),
  ),
});
const Names = v.array(v.string());

/** An nsqd that a lookupd knows. */
interface Registered {
  readonly address: HttpAddress;
  /** From `/nodes`; without those that it is tombstoned for. */
  readonly topics: readonly string[];
}

export interface Registrations {
  readonly registered: readonly Registered[];
  /** One for each nsqd that cannot be asked. */
  readonly failures: readonly NodeError[];
}

/** The answer to `/nodes` or `/lookup`. Throws {@link NodeError}. */
export function readProducers(lookupd: string, json: unknown): Registrations {
  const result = v.safeParse(Producers, json);
  if (!result.success) throw new NodeError('E_ANSWER', lookupd, 'answered without a list of nsqds');
  const registered: Registered[] = [];
  const failures: NodeError[] = [];
  for (const { broadcast_address: host, http_port: port, topics, tombstones } of result.output.producers) {
    const address = httpAddressOf(host, port);
    const offered = topics.filter((name, index) => !tombstones[index] && isValidName(name));
    if (address) registered.push({ address, topics: offered });
    else failures.push(new NodeError('E_ANSWER', printable(`${host}:${port}`), 'has no HTTP address to ask'));
  }
  return { registered, failures };
}

/** The list of that name in the answer to `/topics`, `/channels` or `/lookup`. Throws {@link NodeError}. */
export function readNames(lookupd: string, list: 'topics' | 'channels', json: unknown): string[] {
  const names =
    typeof json === 'object' && json !== null ? (json as Record<string, unknown>)[list] : undefined;
  const result = v.safeParse(Names, names);
  if (!result.success) throw new NodeError('E_ANSWER', lookupd, `answered without a list of ${list}`);
  return result.output.filter(isValidName);
}
