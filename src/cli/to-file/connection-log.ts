import type { Consumer } from '../../client/index.js';
import type { Logger } from '../logger.js';

/** Logs once what a consumer loses, an nsqd or a lookupd, and that it is back. */
export function logConnections(consumer: Consumer, logger: Logger, prefix: string): void {
  const lost = new Set<string>();
  const silent = new Set<string>();
  const onLost = (address: string, error: Error): void => {
    if (!lost.has(address)) logger.warn(`${prefix}no connection: ${error.message}; connecting again`);
    lost.add(address);
  };
  consumer
    .on('connect', (address) => {
      logger.info(`${prefix}connected to ${address}${lost.delete(address) ? ' again' : ''}`);
    })
    .on('disconnect', (address, error) => {
      if (error.code !== 'E_CLOSED') onLost(address, error);
    })
    .on('retry', onLost)
    .on('lookupFailed', (lookupd, error) => {
      if (!silent.has(lookupd)) logger.warn(`${prefix}lookupd ${error.message}; asking again`);
      silent.add(lookupd);
    })
    .on('lookup', (lookupd) => {
      if (silent.delete(lookupd)) logger.info(`${prefix}lookupd ${lookupd} answers again`);
    })
    .on('refused', (error) => logger.warn(`${prefix}${error.message}`));
}

/**
 * Resolves when one of the nsqds is subscribed to; rejects with the first error when none of them can be. Attempts go
 * on with those that are left.
 */
export async function firstConnection(consumer: Consumer, nsqds: number): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const failed = new Map<string, Error>();
    const onConnect = (): void => settle(resolve);
    const onRetry = (address: string, error: Error): void => {
      if (!failed.has(address)) failed.set(address, error);
      const [first] = failed.values();
      if (failed.size === nsqds) settle(() => reject(first));
    };
    const settle = (how: () => void): void => {
      consumer.off('connect', onConnect).off('retry', onRetry);
      how();
    };
    consumer.on('connect', onConnect).on('retry', onRetry);
    // Its outcome is that of all of them together.
    consumer.connect().catch(() => {});
  });
}
