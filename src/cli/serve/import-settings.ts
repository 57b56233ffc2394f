import { defineSettings } from '../settings.js';

/** How `nsq serve` is asked to import nsqd's data and end. */
export const IMPORT_SETTINGS = defineSettings({
  'import-only': {
    kind: 'boolean',
    default: false,
    doc: 'import what nsqd left in the data path, report it, and end: nothing listens (every start imports, if there is something)',
    group: 'import',
    flagOnly: true,
  },
  json: {
    kind: 'boolean',
    default: false,
    doc: 'with --import-only: the report as one JSON object',
    group: 'import',
    flagOnly: true,
  },
});
