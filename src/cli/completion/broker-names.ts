import { Cluster } from '../cluster/cluster.js';
import { CLUSTER_SETTINGS, clusterSource, nodeClient } from '../cluster/cluster-settings.js';
import { type GivenFlags, resolveSettings } from '../resolution.js';
import { defineSettings, type ValuesOf } from '../settings.js';
import type { CommandLine } from './command-line.js';

/** Nobody waits longer for a key press. */
const PATIENCE_MS = 700;

const SETTINGS = defineSettings({
  ...CLUSTER_SETTINGS,
  'nsqd-tcp-address': { kind: 'strings', default: [], doc: '' },
});

/**
 * The topics that nsqds or lookupds have, or the channels of the topics on the command line. The addresses are those on
 * the command line and in the environment; of an nsqd whose TCP address alone is known, HTTP is taken to be at the next
 * port, as by default. Nothing when nobody answers in time: there is no place for an error under the cursor.
 */
export async function brokerNames(
  kind: 'topic' | 'channel',
  line: CommandLine,
  environment: NodeJS.ProcessEnv,
): Promise<readonly string[]> {
  try {
    const cluster = await clusterOf(line, environment);
    const signal = AbortSignal.timeout(PATIENCE_MS);
    if (kind === 'topic') return [...(await cluster.topics(signal)).topics.keys()];
    const topics = line.given.get('topic') ?? line.args.slice(0, 1);
    const lists = await Promise.all(topics.map((topic) => cluster.channels(topic, signal)));
    return [...new Set(lists.flatMap(({ channels }) => channels ?? []))];
  } catch {
    return [];
  }
}

async function clusterOf({ given }: CommandLine, environment: NodeJS.ProcessEnv): Promise<Cluster> {
  const flags: GivenFlags = Object.fromEntries(given);
  const { values, sources } = resolveSettings(SETTINGS, flags, environment);
  const typed = values as ValuesOf<typeof SETTINGS>;
  const tcp = typed['nsqd-tcp-address'];
  const isTold = ['nsqd-http-address', 'lookupd-http-address'].some((flag) => sources.get(flag) === 'flag');
  const client = await nodeClient(typed);
  if (isTold || tcp.length === 0) return new Cluster(clusterSource(typed, sources), client);
  const http = { ...typed, 'nsqd-http-address': tcp.map(httpOf), 'lookupd-http-address': [] };
  return new Cluster(clusterSource(http, sources), client);
}

function httpOf(tcpAddress: string): string {
  return tcpAddress.replace(/:(\d+)$/, (_, port: string) => `:${Number(port) + 1}`);
}
