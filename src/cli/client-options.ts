import type { ConsumerOptions } from '../client/options.js';
import { UsageError } from './errors.js';
import { precedence, type SettingSource } from './resolution.js';
import { defineSettings, type Setting, type ValuesOf } from './settings.js';

/** What all flags share whose values are options of the client library, as in `max_in_flight,500`. */
export const PASSED_OPTION = {
  kind: 'strings',
  default: [],
  verbatim: true,
  placeholder: 'name,value',
} as const satisfies Partial<Setting>;

/** Where the broker is, for every command that is its client. */
export const NSQD_SETTINGS = defineSettings({
  'nsqd-tcp-address': {
    kind: 'strings',
    default: ['127.0.0.1:4150'],
    placeholder: 'address',
    doc: 'nsqd to connect to: <host>:<port> or the path of a unix socket',
  },
});

/** Where the messages of a topic are, for every command that consumes. */
export const SOURCE_SETTINGS = defineSettings({
  ...NSQD_SETTINGS,
  'lookupd-http-address': {
    kind: 'strings',
    default: [],
    placeholder: 'address',
    doc: 'lookupd that knows which nsqds have the topic, in place of --nsqd-tcp-address: <host>:<port>',
  },
});

export type SourceAddresses = Pick<ConsumerOptions, 'nsqdTcpAddresses' | 'lookupdHttpAddresses'>;

/**
 * The nsqds or the lookupds, whichever was asked for: a flag wins over the environment, that over the file. Throws
 * {@link UsageError} when both come from the same place.
 */
export function sourceAddresses(
  values: ValuesOf<typeof SOURCE_SETTINGS>,
  sources: ReadonlyMap<string, SettingSource>,
): SourceAddresses {
  const nsqd = precedence(sources, 'nsqd-tcp-address');
  const lookupd = precedence(sources, 'lookupd-http-address');
  const lookupdHttpAddresses = values['lookupd-http-address'];
  if (lookupd < nsqd || lookupdHttpAddresses.length === 0)
    return { nsqdTcpAddresses: values['nsqd-tcp-address'] };
  if (lookupd === nsqd) throw new UsageError('use --nsqd-tcp-address or --lookupd-http-address, not both');
  return { lookupdHttpAddresses };
}
