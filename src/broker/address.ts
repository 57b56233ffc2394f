import type { Server } from 'node:net';
import { ListenError, listen as listenOn } from '../daemon/listen.js';
import { BrokerError } from './errors.js';

/**
 * Listens, and says where: `host:port`, or the path of a unix socket.
 * @throws BrokerError E_OPTION or E_LISTEN, saying what is in the way
 */
export async function listen(server: Server, text: string, what: string): Promise<string> {
  try {
    return await listenOn(server, text, what);
  } catch (error) {
    if (!(error instanceof ListenError)) throw error;
    throw new BrokerError(error.code, error.message, { cause: error.cause ?? error });
  }
}
