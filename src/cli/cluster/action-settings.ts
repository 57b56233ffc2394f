import { defineSettings } from '../settings.js';
import { CLUSTER_SETTINGS } from './cluster-settings.js';

/** What the commands that change topics and channels can be told. */
export const ACTION_SETTINGS = defineSettings({
  ...CLUSTER_SETTINGS,
  json: { kind: 'boolean', default: false, doc: 'print what each daemon did, a JSON object a line' },
  verbose: { kind: 'boolean', default: false, doc: 'say what was done, also when nobody watches' },
});

/** Those that lose messages. */
export const DESTRUCTIVE_SETTINGS = defineSettings({
  ...ACTION_SETTINGS,
  yes: {
    kind: 'boolean',
    default: false,
    doc: 'delete and empty do not ask; needed where nobody can be asked',
    flagOnly: true,
  },
});
