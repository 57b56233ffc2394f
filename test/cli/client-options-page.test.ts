import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { clientOptionsPage } from '../../src/cli/client-options-page.js';

test('docs/CLIENT-OPTIONS.md is what the tables say (npm run docs:client-options)', () => {
  const page = readFileSync(new URL('../../docs/CLIENT-OPTIONS.md', import.meta.url), 'utf8');
  expect(page).toBe(clientOptionsPage());
});

/** The `opt` tags of go-nsq 1.1.0's Config, and its TLS options. */
const GO_NSQ = `dial_timeout read_timeout write_timeout local_addr lookupd_poll_interval lookupd_poll_jitter
  lookupd_poll_timeout max_requeue_delay default_requeue_delay backoff_strategy max_backoff_duration backoff_multiplier
  max_attempts low_rdy_idle_timeout low_rdy_timeout rdy_redistribute_interval client_id hostname user_agent
  heartbeat_interval sample_rate tls_v1 tls_config deflate deflate_level snappy output_buffer_size output_buffer_timeout
  max_in_flight msg_timeout auth_secret skip_lookupd_authorization tls_root_ca_file tls_insecure_skip_verify tls_cert
  tls_key tls_min_version`.split(/\s+/);

test("every option of go-nsq's has its place there", () => {
  const page = clientOptionsPage();
  expect(GO_NSQ.filter((name) => !page.includes(`\`${name}\``))).toEqual([]);
});
