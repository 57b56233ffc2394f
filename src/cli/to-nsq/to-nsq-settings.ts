import { PASSED_OPTION } from '../client-options.js';
import { RELAY_SETTINGS } from '../relay/relay-settings.js';
import { defineSettings } from '../settings.js';

const { 'status-every': statusEvery, 'consumer-opt': consumerOpt, ...SOURCE } = RELAY_SETTINGS;

/** What `nsq to-nsq` can be told. */
export const TO_NSQ_SETTINGS = defineSettings({
  topic: { kind: 'strings', default: [], placeholder: 'name', doc: 'topic to take messages from' },
  channel: {
    kind: 'string',
    default: 'nsq_to_nsq',
    placeholder: 'name',
    doc: 'channel to take messages from',
  },
  'destination-nsqd-tcp-address': {
    kind: 'strings',
    default: [],
    placeholder: 'address',
    doc: 'nsqd to publish to: <host>:<port> or the path of a unix socket',
  },
  'destination-topic': {
    kind: 'string',
    placeholder: 'name',
    doc: 'topic to publish to',
    defaultDoc: "the message's own",
  },
  mode: {
    kind: 'choice',
    choices: ['hostpool', 'round-robin', 'epsilon-greedy'],
    default: 'hostpool',
    doc: 'which destination gets a message: the next that works, the next, or mostly the fastest',
  },
  ...SOURCE,
  'require-json-field': {
    kind: 'string',
    placeholder: 'name',
    doc: 'of JSON messages, only those with this field',
  },
  'require-json-value': {
    kind: 'string',
    doc: 'of JSON messages, only those whose --require-json-field has this value',
  },
  'whitelist-json-field': {
    kind: 'strings',
    default: [],
    verbatim: true,
    placeholder: 'name',
    doc: 'of JSON messages, only this field is published',
  },
  'status-every': statusEvery,
  'consumer-opt': consumerOpt,
  'producer-opt': { ...PASSED_OPTION, doc: "option of go-nsq's for the connections to destinations" },
});
