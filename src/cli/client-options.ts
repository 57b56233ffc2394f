import type { ConsumerOptions, ProducerOptions } from '../client/options.js';
import { UsageError } from './errors.js';
import type { SettingSource } from './resolution.js';
import { parseSetting } from './setting-value.js';
import { defineSettings, type Setting, type ValuesOf } from './settings.js';
import { nearest } from './suggestion.js';
import type { Terminal } from './terminal.js';

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

const PRECEDENCE: readonly SettingSource[] = ['default', 'file', 'environment', 'flag'];

/**
 * The nsqds or the lookupds, whichever was asked for: a flag wins over the environment, that over the file. Throws
 * {@link UsageError} when both come from the same place.
 */
export function sourceAddresses(
  values: ValuesOf<typeof SOURCE_SETTINGS>,
  sources: ReadonlyMap<string, SettingSource>,
): SourceAddresses {
  const [nsqd, lookupd] = (['nsqd-tcp-address', 'lookupd-http-address'] as const).map((flag) =>
    PRECEDENCE.indexOf(sources.get(flag) ?? 'default'),
  ) as [number, number];
  const lookupdHttpAddresses = values['lookupd-http-address'];
  if (lookupd < nsqd || lookupdHttpAddresses.length === 0)
    return { nsqdTcpAddresses: values['nsqd-tcp-address'] };
  if (lookupd === nsqd) throw new UsageError('use --nsqd-tcp-address or --lookupd-http-address, not both');
  return { lookupdHttpAddresses };
}

interface Passed {
  readonly option: keyof ConsumerOptions | keyof ProducerOptions;
  readonly kind: Setting['kind'];
}

/** go-nsq's options, which `--consumer-opt` and `--producer-opt` pass on, and ours for them. */
const EFFECTIVE: Readonly<Record<string, Passed>> = {
  client_id: { option: 'clientId', kind: 'string' },
  default_requeue_delay: { option: 'requeueDelay', kind: 'duration' },
  dial_timeout: { option: 'connectTimeout', kind: 'duration' },
  heartbeat_interval: { option: 'heartbeatInterval', kind: 'duration' },
  hostname: { option: 'hostname', kind: 'string' },
  lookupd_poll_interval: { option: 'lookupdPollInterval', kind: 'duration' },
  lookupd_poll_timeout: { option: 'lookupdPollTimeout', kind: 'duration' },
  low_rdy_idle_timeout: { option: 'lowRdyIdleTimeout', kind: 'duration' },
  low_rdy_timeout: { option: 'lowRdyTimeout', kind: 'duration' },
  max_in_flight: { option: 'maxInFlight', kind: 'int' },
  max_requeue_delay: { option: 'maxRequeueDelay', kind: 'duration' },
  msg_timeout: { option: 'msgTimeout', kind: 'duration' },
  output_buffer_size: { option: 'outputBufferSize', kind: 'int' },
  output_buffer_timeout: { option: 'outputBufferTimeout', kind: 'duration' },
  rdy_redistribute_interval: { option: 'rdyRedistributeInterval', kind: 'duration' },
  sample_rate: { option: 'sampleRate', kind: 'int' },
  user_agent: { option: 'userAgent', kind: 'string' },
};

/** Known to go-nsq, without effect here. */
const WITHOUT_EFFECT: ReadonlySet<string> = new Set([
  'auth_secret',
  'backoff_multiplier',
  'backoff_strategy',
  'deflate',
  'deflate_level',
  'local_addr',
  'lookupd_authorization',
  'lookupd_poll_jitter',
  'max_attempts',
  'max_backoff_duration',
  'read_timeout',
  'skip_lookupd',
  'snappy',
  'tls_cert',
  'tls_insecure_skip_verify',
  'tls_key',
  'tls_min_version',
  'tls_root_ca_file',
  'tls_v1',
  'write_timeout',
]);

/**
 * The options in `name,value` form, as the originals take them. Warns about those without effect. Throws
 * {@link UsageError} on an unknown name or a value that does not fit.
 */
export function passedOptions(
  flag: 'consumer-opt' | 'producer-opt',
  given: readonly string[],
  terminal: Pick<Terminal, 'warn'>,
): Partial<ConsumerOptions & ProducerOptions> {
  const entries = given.flatMap((text) => {
    const [name = '', ...rest] = text.split(',');
    const key = name.trim().replaceAll('-', '_');
    const passed = EFFECTIVE[key];
    if (passed) return [[passed.option, parseSetting(passed, rest.join(','), `--${flag} ${key}`)] as const];
    if (!WITHOUT_EFFECT.has(key)) throw unknownOption(flag, key);
    terminal.warn(`--${flag} ${key} has no effect yet`);
    return [];
  });
  return Object.fromEntries(entries);
}

function unknownOption(flag: string, name: string): UsageError {
  const near = nearest(name, [...Object.keys(EFFECTIVE), ...WITHOUT_EFFECT]);
  return new UsageError(`--${flag} has no option ${name}`, near ? { hint: `Did you mean ${near}?` } : {});
}
