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
}

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
    tls_v1: false,
    snappy: false,
    deflate: false,
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
