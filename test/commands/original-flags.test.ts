import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { COMMANDS } from './all-commands.js';

/** What the programs of nsqd 1.3.0 print with --help. */
const ORIGINALS: Readonly<Record<string, { ours: string; flags: string }>> = {
  to_nsq: {
    ours: 'pub',
    flags: `delimiter nsqd-tcp-address producer-opt rate topic`,
  },
  nsq_tail: {
    ours: 'tail',
    flags: `channel consumer-opt lookupd-http-address max-in-flight n nsqd-tcp-address print-topic topic
      version`,
  },
  nsq_to_file: {
    ours: 'to-file',
    flags: `channel consumer-opt datetime-format filename-format gzip gzip-level host-identifier
      http-client-connect-timeout http-client-request-timeout log-level log-prefix
      lookupd-http-address max-in-flight nsqd-tcp-address output-dir rotate-interval rotate-size
      skip-empty-files sync-interval topic topic-pattern topic-refresh version work-dir`,
  },
  nsq_stat: {
    ours: 'stat',
    flags: `channel count http-client-connect-timeout http-client-request-timeout interval
      lookupd-http-address nsqd-http-address topic version`,
  },
  nsq_to_http: {
    ours: 'to-http',
    flags: `channel consumer-opt content-type get header http-client-connect-timeout
      http-client-request-timeout lookupd-http-address max-in-flight mode n nsqd-tcp-address post
      sample status-every topic version`,
  },
  nsq_to_nsq: {
    ours: 'to-nsq',
    flags: `channel consumer-opt destination-nsqd-tcp-address destination-topic lookupd-http-address
      max-in-flight mode nsqd-tcp-address producer-opt require-json-field require-json-value
      status-every topic version whitelist-json-field`,
  },
  nsqd: {
    ours: 'serve',
    flags: `auth-http-address auth-http-request-method broadcast-address broadcast-http-port
      broadcast-tcp-port config data-path deflate e2e-processing-latency-percentile
      e2e-processing-latency-window-time enable-experiment http-address http-client-connect-timeout
      http-client-request-timeout https-address log-level log-prefix lookupd-tcp-address
      max-body-size max-bytes-per-file max-channel-consumers max-deflate-level max-heartbeat-interval
      max-msg-size max-msg-timeout max-output-buffer-size max-output-buffer-timeout max-rdy-count
      max-req-timeout mem-queue-size min-output-buffer-timeout msg-timeout node-id
      output-buffer-timeout queue-scan-selection-count queue-scan-worker-pool-max snappy
      statsd-address statsd-exclude-ephemeral statsd-interval statsd-mem-stats statsd-prefix
      statsd-udp-packet-size sync-every sync-timeout tcp-address tls-cert tls-client-auth-policy
      tls-key tls-min-version tls-required tls-root-ca-file topology-region topology-zone verbose
      version worker-id`,
  },
  nsqlookupd: {
    ours: 'lookupd',
    flags: `broadcast-address config http-address inactive-producer-timeout log-level log-prefix
      tcp-address tombstone-lifetime verbose version`,
  },
};
const compatibility = readFileSync(new URL('../../docs/COMPATIBILITY.md', import.meta.url), 'utf8');

test.each(Object.entries(ORIGINALS))(
  'every flag of %s is taken, or docs/COMPATIBILITY.md says why not',
  (_, { ours, flags }) => {
    const taken = COMMANDS.get(ours)?.flags ?? {};
    const missing = flags
      .split(/\s+/)
      .filter((flag) => !(flag in taken) && !compatibility.includes(`\`--${flag}\``));
    expect(missing).toEqual([]);
  },
);
