import * as v from 'valibot';
import { HttpError } from '../../http/query.js';
import type { Answer } from '../../http/route.js';
import { LOG_LEVELS, type LogLevel, levelNumber } from '../logger.js';
import { OPTION_SPECS } from '../option-table.js';
import type { TlsRequirement } from '../tls/tls-settings.js';
import type { Request } from './routes.js';

const NANOSECONDS = 1e6;
const Addresses = v.nullable(v.array(v.string()));

/** Options of nsqd for what this broker leaves off, so that a tool that reads them finds what holds. */
const OFF: Readonly<Record<string, unknown>> = {
  queue_scan_selection_count: 20,
  queue_scan_worker_pool_max: 4,
};

/** The numbers by which Go and nsqd know them. */
const TLS_VERSION_NUMBERS = { '': 769, 'tls1.0': 769, 'tls1.1': 770, 'tls1.2': 771, 'tls1.3': 772 } as const;

function tlsRequiredNumber({ tcp, http }: TlsRequirement): number {
  return Number(tcp) + Number(http);
}

/** As with nsqd, nothing has no type. */
function text(value: string): Answer {
  return value === '' ? undefined : value;
}

/** GET /config/:option */
export function configGet({ broker, option }: Request): Answer {
  if (option === 'log_level') return { json: levelNumber(broker.settings.logLevel) };
  if (option === 'tls_required') return { json: tlsRequiredNumber(broker.tlsRequired) };
  if (option === 'tls_min_version') return { json: TLS_VERSION_NUMBERS[broker.settings.tlsMinVersion] };
  if (option === 'broadcast_tcp_port') return { json: broker.broadcastTcpPort };
  if (option === 'broadcast_http_port') return { json: broker.broadcastHttpPort };
  if (option === 'statsd_prefix') return text(broker.statsdPrefix);
  const spec = OPTION_SPECS.find(({ config, flag }) => (config ?? flag.replaceAll('-', '_')) === option);
  const value = spec ? broker.settings[spec.key] : OFF[option];
  if (value === undefined || !(spec || Object.hasOwn(OFF, option)))
    throw new HttpError(400, 'INVALID_OPTION');
  if (typeof value === 'string') return text(value);
  return { json: spec?.kind === 'duration' && typeof value === 'number' ? value * NANOSECONDS : value };
}

/** PUT /config/:option: those that can change while the broker runs. */
export function configPut(request: Request): Answer {
  const { broker, option, body } = request;
  if (body.length === 0) throw new HttpError(413, 'INVALID_VALUE');
  const value = body.toString('utf8');
  if (option === 'log_level') {
    const level = value.toLowerCase();
    if (!isLogLevel(level)) throw new HttpError(400, 'INVALID_VALUE');
    broker.setLogLevel(level);
  } else if (option === 'nsqlookupd_tcp_addresses') {
    setLookupdTcpAddresses(broker, value);
  } else {
    throw new HttpError(400, 'INVALID_OPTION');
  }
  return configGet(request);
}

function isLogLevel(text: string): text is LogLevel {
  return (LOG_LEVELS as readonly string[]).includes(text);
}

function setLookupdTcpAddresses(broker: Request['broker'], text: string): void {
  try {
    broker.setLookupdTcpAddresses(v.parse(Addresses, JSON.parse(text)) ?? []);
  } catch (cause) {
    throw new HttpError(400, 'INVALID_VALUE', { cause });
  }
}
