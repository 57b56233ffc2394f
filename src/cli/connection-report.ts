import type { Consumer } from '../client/index.js';
import { plainMessage } from './explanation.js';
import type { Terminal } from './terminal.js';

/** Says once that a connection or a lookupd is lost, and that it is back. Returns what stops that. */
export function reportConnections(consumer: Consumer, terminal: Pick<Terminal, 'say'>): () => void {
  const lost = new Set<string>();
  const silent = new Set<string>();
  const onLookupFailed = (lookupd: string, error: Error): void => {
    if (!silent.has(lookupd)) terminal.say(`lookupd ${plainMessage(error)}; asking again`);
    silent.add(lookupd);
  };
  const onLookup = (lookupd: string): void => {
    if (silent.delete(lookupd)) terminal.say(`lookupd ${lookupd} answers again`);
  };
  const onDisconnect = (address: string, error: Error): void => {
    lost.add(address);
    terminal.say(`lost the connection: ${plainMessage(error)}; connecting again`);
  };
  const onConnect = (address: string): void => {
    if (lost.delete(address)) terminal.say(`connected to ${address} again`);
  };
  consumer.on('disconnect', onDisconnect).on('connect', onConnect);
  consumer.on('lookupFailed', onLookupFailed).on('lookup', onLookup);
  return () => {
    consumer.off('disconnect', onDisconnect).off('connect', onConnect);
    consumer.off('lookupFailed', onLookupFailed).off('lookup', onLookup);
  };
}
