import { createSocket, type Socket } from 'node:dgram';
import { isIP } from 'node:net';
import { type Addresses, names } from '../../net/names.js';
import type { parseStatsdAddress } from './statsd-address.js';

type Address = NonNullable<ReturnType<typeof parseStatsdAddress>>;

/** Every address that a host name has now, in the system's order. */
export type Resolve = (host: string) => Promise<Addresses>;

const resolveHost: Resolve = (host) => names.resolve(host);

/**
 * A socket that is connected to the first of the host's addresses that there is a way to, beginning with the one of
 * number `first`: connected, so that the system says when nobody listens there. What goes wrong once it is open goes to
 * `onError`.
 */
export async function connectUdp(
  { host, port }: Address,
  first: number,
  onError: (error: Error) => void,
  resolve: Resolve = resolveHost,
): Promise<Socket> {
  const family = isIP(host);
  const addresses = family === 0 ? await resolve(host) : [{ address: host, family }];
  let failure = new Error(`the host name ${host} has no address`);
  for (let i = 0; i < addresses.length; i++) {
    const { address, family: version } = addresses[(first + i) % addresses.length]!;
    try {
      return await connect(version === 6 ? 'udp6' : 'udp4', address, port, onError);
    } catch (error) {
      failure = error as Error;
    }
  }
  throw failure;
}

function connect(
  type: 'udp4' | 'udp6',
  address: string,
  port: number,
  onError: (error: Error) => void,
): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = createSocket(type);
    const fail = (error: Error): void => {
      socket.close();
      reject(error);
    };
    socket.once('error', fail);
    // The types know nothing of it, but it is called with an error too.
    socket.connect(port, address, (error?: Error) => {
      if (error) return fail(error);
      socket.off('error', fail);
      socket.on('error', onError);
      resolve(socket);
    });
  });
}
