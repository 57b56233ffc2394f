import { PASSED_OPTION, SOURCE_SETTINGS } from '../client-options.js';
import { defineSettings } from '../settings.js';

/** What `nsq tail` can be told. */
export const TAIL_SETTINGS = defineSettings({
  topic: { kind: 'strings', default: [], placeholder: 'name', doc: 'topic to print' },
  channel: {
    kind: 'string',
    placeholder: 'name',
    doc: 'channel to take messages from',
    defaultDoc: 'an ephemeral one of its own',
  },
  ...SOURCE_SETTINGS,
  n: {
    kind: 'int',
    char: 'n',
    default: 0,
    min: 0,
    doc: 'messages to print, then exit; 0 for no end',
    defaultDoc: 'no end',
  },
  format: {
    kind: 'string',
    default: 'line',
    placeholder: 'line|raw|json|%…',
    doc: "what to print: body and newline, body, JSON lines, or fields such as '%t %i %a %d %n %v'",
  },
  json: { kind: 'boolean', default: false, doc: 'print JSON lines, as --format json does' },
  'print-topic': { kind: 'boolean', default: false, doc: 'print the topic before each message' },
  'since-ready': {
    kind: 'boolean',
    default: false,
    doc: 'only what is published after the ready line; older messages are finished unprinted',
  },
  'max-in-flight': {
    kind: 'int',
    default: 200,
    min: 1,
    max: 2 ** 31 - 1,
    doc: 'messages taken and not yet printed at most',
  },
  'consumer-opt': { ...PASSED_OPTION, doc: "option of go-nsq's for the consumer" },
});
