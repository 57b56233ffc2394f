import { NSQD_SETTINGS, PASSED_OPTION } from '../client-options.js';
import { defineSettings } from '../settings.js';

/** What `nsq pub` can be told. */
export const PUB_SETTINGS = defineSettings({
  topic: { kind: 'string', placeholder: 'name', doc: 'topic to publish to' },
  ...NSQD_SETTINGS,
  any: {
    kind: 'boolean',
    default: false,
    doc: 'publish each message to one of several --nsqd-tcp-address, not to every one',
  },
  file: {
    kind: 'strings',
    default: [],
    placeholder: 'path',
    doc: 'read messages from files; - is stdin',
    verbatim: true,
  },
  delimiter: {
    kind: 'string',
    default: '\\n',
    placeholder: 'text',
    doc: 'what ends a message in the input; \\n, \\t, \\0 and \\xNN are understood',
  },
  'send-on': {
    kind: 'choice',
    choices: ['delimiter', 'newline', 'eof'],
    default: 'delimiter',
    doc: 'eof: the whole input is one message',
  },
  defer: { kind: 'duration', default: 0, min: 0, doc: 'deliver only after this time' },
  batch: { kind: 'int', default: 1000, min: 1, max: 100_000, doc: 'messages sent together at most (MPUB)' },
  rate: {
    kind: 'int',
    default: 0,
    min: 0,
    placeholder: 'n/second',
    doc: 'messages a second at most; 0 for no limit',
    defaultDoc: 'no limit',
  },
  json: { kind: 'boolean', default: false, doc: 'print a receipt as JSON on the standard output' },
  verbose: { kind: 'boolean', default: false, doc: 'say what was done, also when nobody watches' },
  'producer-opt': { ...PASSED_OPTION, doc: "option of go-nsq's for the connection" },
});
