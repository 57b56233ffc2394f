import { Lookupd as LookupdCore } from './lookupd.js';
import type { LookupdOptions } from './options.js';

export { LOG_LEVELS, type Logger, type LogLevel } from '../daemon/logger.js';
export { LookupdError, type LookupdErrorCode } from './errors.js';
export { LOOKUPD_OPTION_SPECS, type LookupdOptions, type LookupdSettings } from './options.js';
export { NSQLOOKUPD_VERSION } from './version.js';

/** A running lookupd: the addresses it listens on, its settings, and `close()`, which ends it. */
export type Lookupd = Pick<LookupdCore, 'tcpAddress' | 'httpAddress' | 'settings' | 'close'>;

/**
 * Starts a lookupd in this process. Without options it listens on free ports of 127.0.0.1.
 *
 * @throws LookupdError E_OPTION or E_LISTEN
 */
export async function startLookupd(options: LookupdOptions = {}): Promise<Lookupd> {
  const lookupd = new LookupdCore(options);
  await lookupd.start();
  return lookupd;
}
