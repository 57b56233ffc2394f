import { Broker as BrokerCore } from './broker.js';
import type { BrokerOptions } from './settings.js';

export type { Body } from './broker.js';
export { BrokerError, type BrokerErrorCode } from './errors.js';
export { LOG_LEVELS, type Logger, type LogLevel } from './logger.js';
export { OPTION_SPECS, type OptionSpec } from './option-table.js';
export { type BrokerOptions, type BrokerSettings, DURABILITIES, type Durability } from './settings.js';

/** A running broker. */
export type Broker = Pick<
  BrokerCore,
  'tcpAddress' | 'httpAddress' | 'dataPath' | 'settings' | 'health' | 'publish' | 'close'
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
