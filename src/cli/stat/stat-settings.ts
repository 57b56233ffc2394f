import { CLUSTER_SETTINGS } from '../cluster/cluster-settings.js';
import { defineSettings, LONGEST_TIMER_MS } from '../settings.js';
import { OUTPUTS } from './stat-output.js';

/** What `nsq stat` can be told. */
export const STAT_SETTINGS = defineSettings({
  topic: { kind: 'string', placeholder: 'name', doc: 'only this topic' },
  channel: { kind: 'string', placeholder: 'name', doc: 'only this channel of it' },
  ...CLUSTER_SETTINGS,
  interval: {
    kind: 'duration',
    default: 2000,
    min: 1,
    max: LONGEST_TIMER_MS,
    doc: 'time between reports, over which rates are taken',
  },
  count: {
    kind: 'int',
    min: 1,
    max: 2 ** 31 - 1,
    doc: 'reports to print, then exit',
    defaultDoc: 'no end on a terminal or with --interval, else one at once',
  },
  sort: {
    kind: 'string',
    default: 'topic',
    placeholder: 'column',
    doc: 'column to sort by; numbers go down: depth, inFlight, rate, connections, ...',
  },
  filter: {
    kind: 'strings',
    default: [],
    placeholder: 'pattern',
    doc: 'only topics and channels that fit: a part of the name, or * and ?; topic/channel for both',
  },
  'per-node': { kind: 'boolean', default: false, doc: 'a row for each nsqd in place of their sum' },
  output: {
    kind: 'choice',
    choices: OUTPUTS,
    doc: 'how to print',
    defaultDoc: 'table on a terminal; else nsq_stat with --topic and --channel, or tsv',
  },
  json: { kind: 'boolean', default: false, doc: 'one JSON object per report, as --output json' },
});
