import { LOOKUPD_OPTIONS } from './lookupd-options.js';
import { MAX_INT32, type OptionTable } from './option-spec.js';

/** Of a producer, besides those of its connections. */
export const PRODUCER_OPTIONS = {
  nsqdTcpAddress: {
    kind: 'other',
    type: 'string or strings',
    defaultDoc: '`127.0.0.1:4150`; none with lookupds',
    doc: '`host:port`, `[IPv6]:port` or socket path; several are used in turn',
  },
  lookupdHttpAddresses: {
    kind: 'other',
    type: 'string or strings',
    defaultDoc: 'none',
    doc: 'lookupds that say which nsqds there are: `host:port`, `http://…` or `https://…`',
  },
  ...LOOKUPD_OPTIONS,
  publishTimeout: {
    kind: 'duration',
    default: 30_000,
    min: 0,
    max: MAX_INT32,
    doc: 'longest wait for the outcome of one call, connecting included; 0 = without limit',
  },
  maxPending: {
    kind: 'int',
    default: 100_000,
    min: 1,
    max: Number.MAX_SAFE_INTEGER,
    doc: 'calls without an outcome at most',
  },
  maxPendingBytes: {
    kind: 'size',
    default: 64 * 1024 * 1024,
    min: 1,
    max: Number.MAX_SAFE_INTEGER,
    doc: 'bytes of such calls at most; a single larger one is still taken',
  },
  whenFull: {
    kind: 'choice',
    choices: ['reject', 'wait'],
    default: 'reject',
    doc: 'what becomes of a call beyond these bounds: it fails with E_QUEUE_FULL, or waits for its turn',
  },
  autoBatch: {
    kind: 'boolean',
    default: true,
    doc: 'concurrent calls of `publish` for one topic may go out as one MPUB',
  },
  retryLost: {
    kind: 'boolean',
    default: false,
    doc: 'publish again what lost its connection before the answer, which may double it, instead of failing',
  },
} as const satisfies OptionTable;
