import { Broker as BrokerCore } from './broker.js';
import { leveled, SILENT } from './logger.js';
import { resolveOptions } from './options.js';
import type { BrokerOptions } from './settings.js';
import { Store } from './store.js';
import type { TakeoverReport } from './takeover/report.js';

export type { Body } from './body.js';
export { BrokerError, type BrokerErrorCode } from './errors.js';
export { LOG_LEVELS, type Logger, type LogLevel } from './logger.js';
export { OPTION_SPECS, type OptionSpec } from './option-table.js';
export {
  type BrokerOptions,
  type BrokerSettings,
  DURABILITIES,
  type Durability,
  EXPERIMENTS,
  type Experiment,
  LIMIT_ACTIONS,
  type LimitAction,
} from './settings.js';
export type { ChannelReport, TakeoverReport, TopicReport } from './takeover/report.js';
export { NSQD_VERSION } from './version.js';

/** A running broker. */
export type Broker = Pick<
  BrokerCore,
  | 'tcpAddress'
  | 'httpAddress'
  | 'httpsAddress'
  | 'dataPath'
  | 'settings'
  | 'health'
  | 'publish'
  | 'close'
  | 'closed'
>;

/**
 * Starts a broker in this process. Without options it listens on free ports of 127.0.0.1 and keeps its messages in a
 * temporary directory, which `close()` removes.
 *
 * @throws BrokerError E_OPTION, E_DATA_PATH, E_LOCKED, E_FORMAT, E_STORAGE or E_LISTEN
 */
export async function startBroker(options: BrokerOptions = {}): Promise<Broker> {
  const broker = new BrokerCore(options);
  await broker.start();
  return broker;
}

/**
 * Imports what nsqd left in `dataPath`, as a broker's start does, and nothing else: nothing listens.
 *
 * @throws BrokerError E_OPTION, E_DATA_PATH, E_LOCKED (a broker or nsqd runs there), E_FORMAT or E_STORAGE
 */
export async function importFromNsqd(options: BrokerOptions & { dataPath: string }): Promise<TakeoverReport> {
  const settings = resolveOptions(options);
  const store = new Store(
    settings,
    leveled(options.logger ?? SILENT, () => settings.logLevel),
  );
  await store.open();
  try {
    return await store.takeOver();
  } finally {
    await store.close();
  }
}
