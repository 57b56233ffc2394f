import { FIVE_MINUTES, HOUR, type OptionTable } from './option-spec.js';

/** Of every client that finds brokers by lookupds. */
export const LOOKUPD_OPTIONS = {
  lookupdPollInterval: {
    kind: 'duration',
    default: 60_000,
    min: 10,
    max: FIVE_MINUTES,
    goNsq: 'lookupd_poll_interval',
    doc: 'how often a lookupd is asked that cannot be watched',
  },
  lookupdPollJitter: {
    kind: 'float',
    default: 0.3,
    min: 0,
    max: 1,
    goNsq: 'lookupd_poll_jitter',
    doc: 'part of that by which it is shortened at most, at random each time',
  },
  lookupdPollTimeout: {
    kind: 'duration',
    default: 60_000,
    min: 1,
    max: HOUR,
    goNsq: 'lookupd_poll_timeout',
    doc: "longest wait for a lookupd's answer",
  },
  lookupdAuthorization: {
    kind: 'boolean',
    default: true,
    goNsq: ['lookupd_authorization', 'skip_lookupd_authorization'],
    doc: 'send `authSecret` to lookupds too, as `Authorization: Bearer`',
  },
} as const satisfies OptionTable;
