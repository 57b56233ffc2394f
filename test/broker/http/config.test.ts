import { describe, expect, it } from 'vitest';
import { LOG_LEVELS } from '../../../src/broker/logger.js';
import { OPTION_SPECS } from '../../../src/broker/option-table.js';
import type { Experiment } from '../../../src/broker/settings.js';
import { openBroker } from '../support/brokers.js';
import { http } from '../support/http.js';

const HTTP = { httpAddress: '127.0.0.1:0' };

/** What the original's options are called in its configuration. */
const ORIGINAL_KEYS = `
  id log_level log_prefix tcp_address http_address https_address broadcast_address broadcast_tcp_port
  broadcast_http_port nsqlookupd_tcp_addresses auth_http_addresses auth_http_request_method
  http_client_connect_timeout http_client_request_timeout topology_region topology_zone data_path mem_queue_size
  max_bytes_per_file sync_every sync_timeout queue_scan_selection_count queue_scan_worker_pool_max msg_timeout
  max_msg_timeout max_msg_size max_body_size max_req_timeout max_heartbeat_interval max_rdy_count
  max_output_buffer_size max_output_buffer_timeout min_output_buffer_timeout output_buffer_timeout
  max_channel_consumers statsd_address statsd_prefix statsd_interval statsd_mem_stats statsd_udp_packet_size
  statsd_exclude_ephemeral e2e_processing_latency_window_time e2e_processing_latency_percentiles tls_cert tls_key
  tls_client_auth_policy tls_root_ca_file tls_required tls_min_version deflate max_deflate_level snappy
  enable_experiment`
  .trim()
  .split(/\s+/);

describe('GET /config', () => {
  it('knows every option of the original, and every one of our own', async () => {
    const broker = await openBroker(HTTP);
    const own = OPTION_SPECS.map(({ config, flag }) => config ?? flag.replaceAll('-', '_'));
    const keys = [...new Set([...ORIGINAL_KEYS, ...own])];
    const answers = await Promise.all(keys.map((key) => http(broker, `GET /config/${key}`)));
    expect(keys.filter((_, index) => answers[index]!.status !== 200)).toEqual([]);
  });

  it.each([
    ['msg_timeout', '60000000000'],
    ['mem_queue_size', '10000'],
    ['log_prefix', '[nsqd] '],
    ['log_level', '2'],
    ['nsqlookupd_tcp_addresses', '[]'],
    ['deflate', 'true'],
    ['tls_required', '0'],
    ['tls_min_version', '769'],
    ['id', '5'],
    ['durability', 'os'],
    ['tls_cert', ''],
    ['enable_experiment', '[]'],
    ['statsd_address', ''],
    ['statsd_prefix', 'nsq.a_b_99.'],
    ['statsd_interval', '60000000000'],
    ['statsd_mem_stats', 'true'],
    ['statsd_udp_packet_size', '508'],
    ['statsd_exclude_ephemeral', 'false'],
  ])('%s is %s', async (key, text) => {
    const broker = await openBroker({
      ...HTTP,
      nodeId: 5,
      broadcastAddress: 'a.b',
      broadcastHttpPort: 99,
    });
    expect((await http(broker, `GET /config/${key}`)).text).toBe(text);
  });

  it('shows the experiments as they were asked for, unknown ones too', async () => {
    const experiments = ['topology-aware-consumption', 'bogus'] as Experiment[];
    const broker = await openBroker({ ...HTTP, experiments });
    expect((await http(broker, 'GET /config/enable_experiment')).text).toBe(JSON.stringify(experiments));
  });

  it('nothing has no type', async () => {
    const { headers } = await http(await openBroker(HTTP), 'GET /config/tls_cert');
    expect(headers['content-type']).toBeUndefined();
  });
});

describe('PUT /config', () => {
  it('changes the log level, and logs accordingly', async () => {
    const lines: string[] = [];
    const note = (line: string): unknown => lines.push(line);
    const logger = { debug: note, info: note, warn: note, error: note };
    const broker = await openBroker({ ...HTTP, logger });
    for (const [index, level] of LOG_LEVELS.entries()) {
      const answer = await http(broker, 'PUT /config/log_level', { body: level.toUpperCase() });
      expect([answer.status, answer.text]).toEqual([200, String(index + 1)]);
      lines.length = 0;
      await http(broker, 'POST /topic/pause?topic=none');
      broker.topic(`t${index}`);
      expect(lines.length > 0).toBe(index <= 1);
    }
  });

  it('changes the addresses of lookupds', async () => {
    const broker = await openBroker(HTTP);
    const body = '["127.0.0.1:4160","[::1]:4160"]';
    expect((await http(broker, 'PUT /config/nsqlookupd_tcp_addresses', { body })).text).toBe(body);
    expect((await http(broker, 'GET /config/nsqlookupd_tcp_addresses')).text).toBe(body);
    expect((await http(broker, 'PUT /config/nsqlookupd_tcp_addresses', { body: '[]' })).text).toBe('[]');
  });

  it.each([
    ['log_level', 'loud', 'INVALID_VALUE'],
    ['log_level', 'toString', 'INVALID_VALUE'],
    ['nsqlookupd_tcp_addresses', 'x', 'INVALID_VALUE'],
    ['nsqlookupd_tcp_addresses', '{"a":1}', 'INVALID_VALUE'],
    ['nsqlookupd_tcp_addresses', '[1]', 'INVALID_VALUE'],
    ['mem_queue_size', '5', 'INVALID_OPTION'],
    ['nope', '5', 'INVALID_OPTION'],
  ])('%s to %s: %s', async (key, body, code) => {
    const broker = await openBroker(HTTP);
    const answer = await http(broker, `PUT /config/${key}`, { body });
    expect([answer.status, answer.text]).toEqual([400, JSON.stringify({ message: code })]);
  });
});
