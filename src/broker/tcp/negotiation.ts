import { ProtocolError } from '../../protocol/errors.js';
import { goJson } from '../../protocol/go-json.js';
import type { Broker } from '../broker.js';
import type { Identified } from './identify.js';
import type { UpgradeSteps } from './upgrade.js';

const DEFAULT_DEFLATE_LEVEL = 6;

/** What the client is told that holds for its connection, and what becomes of that then. */
export interface Negotiation {
  readonly answer: string;
  /** Undefined: it stays as it is. */
  readonly upgrade: UpgradeSteps | undefined;
}

/** @throws ProtocolError E_IDENTIFY_FAILED */
export function negotiate({ settings, wanted }: Identified, broker: Broker): Negotiation {
  const limits = broker.settings;
  const tls = broker.tls !== undefined && wanted.tls;
  const snappy = limits.snappy && wanted.snappy;
  const deflate = limits.deflate && wanted.deflate;
  if (snappy && deflate)
    throw new ProtocolError('E_IDENTIFY_FAILED', 'cannot enable both deflate and snappy compression');
  const level = deflate && wanted.deflateLevel > 0 ? wanted.deflateLevel : DEFAULT_DEFLATE_LEVEL;
  const deflateLevel = Math.min(level, limits.maxDeflateLevel);
  const answer = {
    max_rdy_count: limits.maxRdyCount,
    version: broker.version,
    max_msg_timeout: Math.floor(limits.maxMsgTimeout),
    msg_timeout: Math.floor(settings.msgTimeout),
    tls_v1: tls,
    deflate,
    deflate_level: deflateLevel,
    max_deflate_level: limits.maxDeflateLevel,
    snappy,
    sample_rate: settings.sampleRate,
    auth_required: broker.auth !== undefined,
    output_buffer_size: settings.outputBufferSize,
    output_buffer_timeout: Math.floor(settings.outputBufferTimeout),
    topology_region: limits.topologyRegion,
    topology_zone: limits.topologyZone,
  };
  const upgrade =
    tls || snappy || deflate ? { tls, snappy, deflateLevel: deflate ? deflateLevel : 0 } : undefined;
  return { answer: goJson(answer), upgrade };
}
