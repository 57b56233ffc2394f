import type { ConnectionSettings } from './options.js';

/** What the broker granted in its answer to IDENTIFY; an old broker answers without, then the values are the usual. */
export interface Negotiated {
  /** Largest RDY the connection may send. */
  readonly maxRdyCount: number;
  /** Time until an unanswered message is taken back, ms; 0 when unknown. */
  readonly msgTimeout: number;
  /** The broker's version; '' when unknown. */
  readonly version: string;
  /** The broker wants AUTH before anything else. */
  readonly authRequired: boolean;
  readonly tls: boolean;
  readonly compression: 'none' | 'snappy' | 'deflate';
  readonly deflateLevel: number;
  /** Largest message and largest body of a command the broker takes, bytes; 0 when unknown: nsqd does not say. */
  readonly maxMsgSize: number;
  readonly maxBodySize: number;
}

/** Before the answer. */
const UNKNOWN: Negotiated = {
  maxRdyCount: 0,
  msgTimeout: 0,
  version: '',
  authRequired: false,
  tls: false,
  compression: 'none',
  deflateLevel: 6,
  maxMsgSize: 0,
  maxBodySize: 0,
};

const DEFAULT_MAX_RDY_COUNT = 2500;

/** The body of IDENTIFY. 0 and '' are left to the broker. */
export function identifyFields(settings: ConnectionSettings): Record<string, unknown> {
  return {
    client_id: settings.clientId,
    hostname: settings.hostname,
    user_agent: settings.userAgent,
    feature_negotiation: true,
    heartbeat_interval: settings.heartbeatInterval,
    output_buffer_size: settings.outputBufferSize,
    output_buffer_timeout: settings.outputBufferTimeout,
    sample_rate: settings.sampleRate,
    msg_timeout: settings.msgTimeout,
    topology_region: settings.topologyRegion,
    topology_zone: settings.topologyZone,
    tls_v1: settings.tls !== undefined,
    snappy: settings.snappy,
    deflate: settings.deflate,
    ...(settings.deflate && { deflate_level: settings.deflateLevel }),
  };
}

/** Reads the answer to IDENTIFY; undefined when it is none. */
export function readNegotiated(answer: string): Negotiated | undefined {
  const fields = answer === 'OK' ? {} : parseObject(answer);
  if (fields === undefined) return undefined;
  return {
    maxRdyCount: positive(fields.max_rdy_count, DEFAULT_MAX_RDY_COUNT),
    msgTimeout: positive(fields.msg_timeout, 0),
    version: typeof fields.version === 'string' ? fields.version : '',
    authRequired: fields.auth_required === true,
    tls: fields.tls_v1 === true,
    compression: fields.snappy === true ? 'snappy' : fields.deflate === true ? 'deflate' : 'none',
    deflateLevel: Math.min(9, positive(fields.deflate_level, UNKNOWN.deflateLevel)),
    maxMsgSize: positive(fields.max_msg_size, 0),
    maxBodySize: positive(fields.max_body_size, 0),
  };
}

function parseObject(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}

function positive(value: unknown, fallback: number): number {
  return typeof value === 'number' && value > 0 ? value : fallback;
}
