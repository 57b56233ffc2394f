import { MAX_DURATION, MINUTE, type OptionSpec } from '../option-spec.js';
import { complaintAboutStatsdAddress } from './statsd-address.js';

/** Where and how figures are pushed. */
export const STATSD_OPTIONS: readonly OptionSpec[] = [
  {
    key: 'statsdAddress',
    flag: 'statsd-address',
    kind: 'string',
    default: '',
    check: complaintAboutStatsdAddress,
    doc: 'UDP address of a statsd daemon to push figures to: <host>:<port>; empty for none',
    group: 'statsd',
  },
  {
    key: 'statsdInterval',
    flag: 'statsd-interval',
    kind: 'duration',
    default: MINUTE,
    min: 1,
    max: MAX_DURATION,
    doc: "time between pushes; a push's packets are spread over it, but for its last second",
    group: 'statsd',
  },
  {
    key: 'statsdMemStats',
    flag: 'statsd-mem-stats',
    kind: 'boolean',
    default: true,
    doc: 'push figures of memory and garbage collection too',
    group: 'statsd',
  },
  {
    key: 'statsdPrefix',
    flag: 'statsd-prefix',
    kind: 'string',
    default: 'nsq.%s',
    doc: 'what the keys begin with; %s is the broadcast address and HTTP port, with _ for . and :',
    group: 'statsd',
  },
  {
    key: 'statsdUdpPacketSize',
    flag: 'statsd-udp-packet-size',
    kind: 'size',
    default: 508,
    min: 0,
    max: 65_535,
    doc: 'bytes of a UDP packet at most; a longer line has one to itself (0: 4096)',
    group: 'statsd',
  },
  {
    key: 'statsdExcludeEphemeral',
    flag: 'statsd-exclude-ephemeral',
    kind: 'boolean',
    default: false,
    doc: 'leave #ephemeral topics and channels out',
    group: 'statsd',
  },
];
