import net, { type OnReadOpts } from 'node:net';
import { connectReason } from '../net/connect-reason.js';
import { lookUp } from '../net/names.js';
import type { Address, LocalAddress } from './address.js';
import { ConnectionError } from './errors.js';

/** Unwritten bytes from which a socket asks its writer to wait. */
const WRITE_HIGH_WATER = 256 * 1024;

/**
 * Opens a socket to `address`; a host name with several addresses is tried on IPv6 and IPv4 (RFC 8305).
 * @param timeout ms; 0 = the system's
 * @param local to connect from; the system's choice without
 * @param onread how the socket is read; as usual without
 * @throws ConnectionError `E_CONNECT`, `E_CONNECT_TIMEOUT` after `timeout` ms, or `E_CLOSED` when `signal` is aborted
 */
export function dial(
  address: Address,
  timeout: number,
  signal: AbortSignal,
  local: LocalAddress = {},
  onread?: OnReadOpts,
): Promise<net.Socket> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) {
      reject(new ConnectionError('E_CLOSED', address.text, 'closed while connecting'));
      return;
    }
    const socket = openSocket(address, local, onread);
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
      fail(new ConnectionError('E_CONNECT', address.text, connectReason(cause), { cause }));
    const onAbort = (): void =>
      fail(new ConnectionError('E_CLOSED', address.text, 'closed while connecting'));
    const timer =
      timeout === 0
        ? undefined
        : setTimeout(() => {
            fail(
              new ConnectionError('E_CONNECT_TIMEOUT', address.text, `no connection within ${timeout} ms`),
            );
          }, timeout);
    socket.on('connect', onConnect);
    socket.on('error', onError);
    signal.addEventListener('abort', onAbort, { once: true });
  });
}

function openSocket(address: Address, local: LocalAddress, onread: OnReadOpts | undefined): net.Socket {
  const stream = { writableHighWaterMark: WRITE_HIGH_WATER, ...(onread && { onread }) };
  if (address.kind === 'unix') return net.connect({ path: address.path, ...stream });
  const family = local.localAddress === undefined ? 0 : net.isIP(local.localAddress);
  return net.connect({
    host: address.host,
    port: address.port,
    family,
    autoSelectFamily: true,
    lookup: lookUp,
    noDelay: true,
    ...local,
    ...stream,
  });
}
