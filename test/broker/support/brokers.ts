import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Broker } from '../../../src/broker/broker.js';
import type { Channel } from '../../../src/broker/channel.js';
import type { BrokerOptions } from '../../../src/broker/settings.js';
import { type BrokerStats, collectStats } from '../../../src/broker/stats/stats.js';
import { cleanup, tempDir } from '../../support/temp.js';

/** A broker of the test's own process, on free ports and a temporary data path; it is closed with the test. */
export async function openBroker(options: BrokerOptions = {}): Promise<Broker> {
  const broker = new Broker({ dataPath: tempDir(), httpAddress: '', ...options });
  await broker.start();
  cleanup(() => broker.close());
  return broker;
}

/** Stops a broker and starts another one where it was. */
export async function restart(broker: Broker, options: BrokerOptions = {}): Promise<Broker> {
  await broker.close();
  return openBroker({ ...options, dataPath: broker.dataPath });
}

/** A broker on what this one had written by now: what would be there after `kill -9`. */
export async function afterCrash(broker: Broker, options: BrokerOptions = {}): Promise<Broker> {
  const dataPath = tempDir();
  // Spare files go off the event loop, also while they would be copied; a start removes them.
  const spares = join(broker.dataPath, 'nsq-data', 'spare');
  cpSync(broker.dataPath, dataPath, { recursive: true, filter: (path) => !path.startsWith(spares) });
  rmSync(join(dataPath, 'nsq-data', 'lock'));
  await broker.close();
  return openBroker({ ...options, dataPath });
}

export function statsOf(broker: Broker): BrokerStats {
  return collectStats(broker, { topic: '', channel: '', clients: true });
}

/** The counts of a channel, and that nothing is left out of them. */
export function countsOf(channel: Channel): { depth: number; inFlight: number; deferred: number } {
  return { depth: channel.depth, inFlight: channel.inFlightCount, deferred: channel.deferredCount };
}
