import { RELAY_SETTINGS } from '../relay/relay-settings.js';
import { defineSettings, LONGEST_TIMER_MS } from '../settings.js';

const { 'status-every': statusEvery, 'consumer-opt': consumerOpt, ...SOURCE } = RELAY_SETTINGS;

export const DEFAULT_CONTENT_TYPE = 'application/octet-stream';

/** What `nsq to-http` can be told. */
export const TO_HTTP_SETTINGS = defineSettings({
  topic: { kind: 'string', placeholder: 'name', doc: 'topic to take messages from' },
  channel: {
    kind: 'string',
    default: 'nsq_to_http',
    placeholder: 'name',
    doc: 'channel to take messages from',
  },
  post: {
    kind: 'strings',
    default: [],
    verbatim: true,
    placeholder: 'url',
    doc: 'URL to POST to, the message as the body',
  },
  get: {
    kind: 'strings',
    default: [],
    verbatim: true,
    placeholder: 'url',
    doc: 'URL to GET, the escaped message in place of its %s',
  },
  mode: {
    kind: 'choice',
    choices: ['hostpool', 'round-robin', 'epsilon-greedy', 'multicast'],
    default: 'hostpool',
    doc: 'which URL gets a message: the next that works, the next, mostly the fastest, or all',
  },
  ...SOURCE,
  n: { kind: 'int', char: 'n', default: 100, min: 1, max: 65_535, doc: 'requests under way at most' },
  sample: {
    kind: 'string',
    default: '1',
    placeholder: '0..1',
    doc: 'part of the messages to deliver; the others are finished without',
  },
  'content-type': {
    kind: 'string',
    default: DEFAULT_CONTENT_TYPE,
    placeholder: 'type',
    doc: 'Content-Type of POST requests',
  },
  header: {
    kind: 'strings',
    default: [],
    verbatim: true,
    placeholder: 'name: value',
    doc: 'header of every request',
  },
  'http-client-connect-timeout': {
    kind: 'duration',
    default: 2000,
    min: 1,
    max: LONGEST_TIMER_MS,
    doc: 'longest wait for a connection to a URL',
  },
  'http-client-request-timeout': {
    kind: 'duration',
    default: 20_000,
    min: 1,
    max: LONGEST_TIMER_MS,
    doc: 'longest wait for the end of a response, connecting included',
  },
  'status-every': statusEvery,
  'consumer-opt': consumerOpt,
});
