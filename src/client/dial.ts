import net, { type LookupFunction } from 'node:net';
import type { Address } from './address.js';
import { ConnectionError } from './errors.js';

/** Unwritten bytes from which a socket asks its writer to wait. */
const WRITE_HIGH_WATER = 256 * 1024;

/**
 * Opens a socket to `address`; a host name with several addresses is tried on IPv6 and IPv4 (RFC 8305).
 * @throws ConnectionError `E_CONNECT`, `E_CONNECT_TIMEOUT` after `timeout` ms, or `E_CLOSED` when `signal` is aborted
 */
export function dial(address: Address, timeout: number, signal: AbortSignal): Promise<net.Socket> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) {
      reject(new ConnectionError('E_CLOSED', address.text, 'closed while connecting'));
      return;
    }
    const socket = openSocket(address);
    const settle = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
      socket.off('error', onError);
      socket.off('connect', onConnect);
    };
    const fail = (error: ConnectionError): void => {
      settle();
      // What still comes from a socket given up is of no interest.
      socket.on('error', () => undefined);
      socket.destroy();
      reject(error);
    };
    const onConnect = (): void => {
      settle();
      resolve(socket);
    };
    const onError = (cause: Error): void =>
      fail(new ConnectionError('E_CONNECT', address.text, describe(cause), { cause }));
    const onAbort = (): void =>
      fail(new ConnectionError('E_CLOSED', address.text, 'closed while connecting'));
    const timer = setTimeout(() => {
      fail(new ConnectionError('E_CONNECT_TIMEOUT', address.text, `no connection within ${timeout} ms`));
    }, timeout);
    socket.on('connect', onConnect);
    socket.on('error', onError);
    signal.addEventListener('abort', onAbort, { once: true });
  });
}

/** `localhost` is both loopback addresses, whatever the system's hosts file has: a broker may listen on either. */
const loopback: LookupFunction = (_host, _options, done) => {
  const addresses = [
    { address: '127.0.0.1', family: 4 },
    { address: '::1', family: 6 },
  ];
  process.nextTick(done, null, addresses);
};

function openSocket(address: Address): net.Socket {
  const stream = { writableHighWaterMark: WRITE_HIGH_WATER };
  if (address.kind === 'unix') return net.connect({ path: address.path, ...stream });
  return net.connect({
    host: address.host,
    port: address.port,
    autoSelectFamily: true,
    ...(address.host === 'localhost' && { lookup: loopback }),
    noDelay: true,
    ...stream,
  });
}

/** An AggregateError, one error per address tried, has no words of its own. */
function describe(error: Error): string {
  if (error instanceof AggregateError) return error.errors.map((one: Error) => one.message).join('; ');
  return error.message;
}
