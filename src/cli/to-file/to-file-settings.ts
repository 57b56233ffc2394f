import { SOURCE_SETTINGS } from '../client-options.js';
import { defineSettings } from '../settings.js';

const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** What `nsq to-file` can be told. */
export const TO_FILE_SETTINGS = defineSettings({
  topic: { kind: 'strings', default: [], placeholder: 'name', doc: 'topic to write to files' },
  'topic-pattern': {
    kind: 'string',
    default: '',
    placeholder: 'regexp',
    doc: 'only topics that match; without --topic, all of those that the lookupds know',
  },
  'topic-refresh': {
    kind: 'duration',
    default: 60_000,
    min: 0,
    max: LONGEST_TIMER_MS,
    doc: 'how often the lookupds are asked for topics; 0 for only at the start',
  },
  channel: {
    kind: 'string',
    default: 'nsq_to_file',
    placeholder: 'name',
    doc: 'channel to take messages from',
  },
  ...SOURCE_SETTINGS,
  'output-dir': { kind: 'string', default: '/tmp', placeholder: 'dir', doc: 'directory of the files' },
  'work-dir': {
    kind: 'string',
    default: '',
    placeholder: 'dir',
    doc: 'directory of files being written, before they move to --output-dir',
    defaultDoc: '--output-dir',
  },
  'filename-format': {
    kind: 'string',
    default: '<TOPIC>.<HOST><REV>.<DATETIME>.log',
    placeholder: 'format',
    doc: 'file names: <TOPIC>, <HOST>, <PID>, <DATETIME>, and <REV>, which counts up where a file exists',
  },
  'datetime-format': {
    kind: 'string',
    default: '%Y-%m-%d_%H',
    placeholder: 'strftime',
    doc: '<DATETIME> in file names, local time; a new name starts a new file',
  },
  'host-identifier': {
    kind: 'string',
    default: '',
    placeholder: 'name',
    doc: '<HOST> in file names; <SHORT_HOST> and <HOSTNAME> are replaced in it',
    defaultDoc: '<SHORT_HOST>',
  },
  format: {
    kind: 'string',
    default: 'line',
    placeholder: 'line|raw|json|template',
    doc: "what to write: body and newline, body, JSON lines, or fields such as '%t %i %a %d %n %v'",
  },
  gzip: { kind: 'boolean', default: false, doc: 'compress; .gz is added to file names' },
  'gzip-level': { kind: 'int', default: 6, min: 1, max: 9, doc: 'compression level, 1 fastest, 9 smallest' },
  'skip-empty-files': { kind: 'boolean', default: false, doc: 'make no file before there is a message' },
  'rotate-size': {
    kind: 'size',
    default: 0,
    min: 0,
    doc: 'start a new file when one is larger, before compression; 0 for no limit',
    defaultDoc: 'no limit',
  },
  'rotate-interval': {
    kind: 'duration',
    default: 0,
    min: 0,
    doc: 'start a new file after this time; 0 for no limit',
    defaultDoc: 'no limit',
  },
  'sync-interval': {
    kind: 'duration',
    default: 30_000,
    min: 1,
    max: LONGEST_TIMER_MS,
    doc: 'longest time until messages are on disk and finished',
  },
  'max-in-flight': {
    kind: 'int',
    default: 200,
    min: 1,
    max: 2 ** 31 - 1,
    doc: 'messages of a topic taken and not yet on disk at most',
  },
  'consumer-opt': {
    kind: 'strings',
    default: [],
    verbatim: true,
    placeholder: 'name,value',
    doc: "option of go-nsq's for the consumers",
  },
  'http-client-connect-timeout': {
    kind: 'duration',
    default: 2000,
    min: 1,
    max: LONGEST_TIMER_MS,
    doc: 'longest wait for a connection when asking for topics',
  },
  'http-client-request-timeout': {
    kind: 'duration',
    default: 5000,
    min: 1,
    max: LONGEST_TIMER_MS,
    doc: 'longest wait for the list of topics',
  },
  'log-level': {
    kind: 'choice',
    choices: ['debug', 'info', 'warn', 'error', 'fatal'],
    default: 'info',
    doc: 'least severe log lines to write',
  },
  'log-prefix': {
    kind: 'string',
    default: '[nsq_to_file] ',
    placeholder: 'text',
    doc: 'text before each log line; its name in JSON lines',
  },
});
