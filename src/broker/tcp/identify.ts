import * as v from 'valibot';
import { ProtocolError } from '../../protocol/errors.js';
import type { BrokerSettings } from '../settings.js';

const text = v.optional(v.nullable(v.string()), '');
const whole = v.optional(v.nullable(v.pipe(v.number(), v.safeInteger())), 0);
const flag = v.optional(v.nullable(v.boolean()), false);

/** The body of IDENTIFY (TCP protocol specification); every field may be missing, others are ignored. */
const IdentifyBody = v.nullable(
  v.object({
    client_id: text,
    hostname: text,
    user_agent: text,
    feature_negotiation: flag,
    heartbeat_interval: whole,
    output_buffer_size: whole,
    output_buffer_timeout: whole,
    tls_v1: flag,
    snappy: flag,
    deflate: flag,
    deflate_level: whole,
    sample_rate: whole,
    msg_timeout: whole,
    topology_region: text,
    topology_zone: text,
  }),
);

/** What a client said of itself and what holds for its connection. Durations are in milliseconds. */
export interface ClientSettings {
  clientId: string;
  hostname: string;
  userAgent: string;
  topologyRegion: string;
  topologyZone: string;
  /** 0: no heartbeats. */
  heartbeatInterval: number;
  outputBufferSize: number;
  outputBufferTimeout: number;
  sampleRate: number;
  msgTimeout: number;
}

export interface Identified {
  settings: ClientSettings;
  /** The client asks to be told what holds. */
  negotiates: boolean;
  wanted: Wanted;
}

/** How the client wants its connection to be. */
interface Wanted {
  readonly tls: boolean;
  readonly snappy: boolean;
  readonly deflate: boolean;
  /** 0: it does not say. */
  readonly deflateLevel: number;
}

const DEFAULT_BUFFER_SIZE = 16 * 1024;
const SMALLEST_BUFFER = 64;
const SHORTEST_HEARTBEAT = 1000;
const SHORTEST_MSG_TIMEOUT = 1000;
const LARGEST_SAMPLE_RATE = 99;

export function defaultClientSettings(settings: BrokerSettings, host: string): ClientSettings {
  return {
    clientId: host,
    hostname: host,
    userAgent: '',
    topologyRegion: '',
    topologyZone: '',
    heartbeatInterval: settings.clientTimeout / 2,
    outputBufferSize: DEFAULT_BUFFER_SIZE,
    outputBufferTimeout: settings.outputBufferTimeout,
    sampleRate: 0,
    msgTimeout: settings.msgTimeout,
  };
}

/**
 * Reads an IDENTIFY body over what held so far.
 * @throws ProtocolError E_BAD_BODY
 */
export function identify(body: Buffer, before: ClientSettings, limits: BrokerSettings): Identified {
  const data = decode(body);
  const settings: ClientSettings = {
    clientId: data?.client_id ?? '',
    hostname: data?.hostname ?? '',
    userAgent: data?.user_agent ?? '',
    topologyRegion: data?.topology_region ?? '',
    topologyZone: data?.topology_zone ?? '',
    heartbeatInterval: choose('heartbeat interval', data?.heartbeat_interval, {
      before: before.heartbeatInterval,
      off: 0,
      min: SHORTEST_HEARTBEAT,
      max: limits.maxHeartbeatInterval,
    }),
    outputBufferTimeout: choose('output buffer timeout', data?.output_buffer_timeout, {
      before: before.outputBufferTimeout,
      off: 0,
      min: limits.minOutputBufferTimeout,
      max: limits.maxOutputBufferTimeout,
    }),
    outputBufferSize: choose('output buffer size', data?.output_buffer_size, {
      before: before.outputBufferSize,
      off: 1,
      min: SMALLEST_BUFFER,
      max: limits.maxOutputBufferSize,
    }),
    sampleRate: data?.sample_rate ?? 0,
    msgTimeout: before.msgTimeout,
  };
  // No buffer leaves nothing to wait for.
  if (data?.output_buffer_size === -1) settings.outputBufferTimeout = 0;
  if (settings.sampleRate < 0 || settings.sampleRate > LARGEST_SAMPLE_RATE)
    refuse('sample rate', settings.sampleRate);
  settings.msgTimeout = choose('msg timeout', data?.msg_timeout, {
    before: before.msgTimeout,
    off: undefined,
    min: SHORTEST_MSG_TIMEOUT,
    max: limits.maxMsgTimeout,
  });
  return {
    settings,
    negotiates: data?.feature_negotiation ?? false,
    wanted: {
      tls: data?.tls_v1 ?? false,
      snappy: data?.snappy ?? false,
      deflate: data?.deflate ?? false,
      deflateLevel: data?.deflate_level ?? 0,
    },
  };
}

function decode(body: Buffer): v.InferOutput<typeof IdentifyBody> {
  try {
    return v.parse(IdentifyBody, withLowerCaseKeys(JSON.parse(body.toString('utf8'))));
  } catch (cause) {
    throw new ProtocolError('E_BAD_BODY', 'IDENTIFY failed to decode JSON body', { cause });
  }
}

/** Fields are found whatever their case, as the original finds them. A list is no body: valibot would take it for one. */
function withLowerCaseKeys(data: unknown): unknown {
  if (Array.isArray(data)) return undefined;
  if (typeof data !== 'object' || data === null) return data;
  return Object.fromEntries(Object.entries(data).map(([key, value]) => [key.toLowerCase(), value]));
}

interface Range {
  /** What 0 leaves as it is. */
  before: number;
  /** What -1 means, where it means something. */
  off: number | undefined;
  min: number;
  max: number;
}

function choose(what: string, wanted: number | null | undefined, { before, off, min, max }: Range): number {
  if (wanted === 0 || wanted === null || wanted === undefined) return before;
  if (wanted === -1 && off !== undefined) return off;
  return wanted >= min && wanted <= max ? wanted : refuse(what, wanted);
}

function refuse(what: string, value: number): never {
  throw new ProtocolError('E_BAD_BODY', `IDENTIFY ${what} (${value}) is invalid`);
}
