import { PASSED_OPTION, SOURCE_SETTINGS } from '../client-options.js';
import { defineSettings } from '../settings.js';

/** When messages that no target takes are given up. */
export const GIVE_UP_SETTINGS = defineSettings({
  'max-attempts': {
    kind: 'int',
    min: 0,
    max: 65_535,
    doc: 'deliveries after which a message is given up; 0 for never',
    defaultDoc: '0, or 5 with --dead-letter-topic',
  },
  'dead-letter-topic': {
    kind: 'string',
    placeholder: 'name',
    doc: 'topic that gets what is given up, on the nsqd it came from',
    defaultDoc: 'none: it is lost',
  },
});

/** What both relays can be told of where messages come from, and of how it goes. */
export const RELAY_SETTINGS = defineSettings({
  ...SOURCE_SETTINGS,
  'max-in-flight': {
    kind: 'int',
    default: 200,
    min: 1,
    max: 2 ** 31 - 1,
    doc: 'messages taken and not yet delivered at most',
  },
  ...GIVE_UP_SETTINGS,
  'status-every': {
    kind: 'int',
    default: 250,
    min: 0,
    max: 1_000_000,
    doc: 'messages from one line about how long they took to the next; 0 for none',
  },
  'consumer-opt': { ...PASSED_OPTION, doc: "option of go-nsq's for the consumer" },
});
