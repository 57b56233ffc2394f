import { Socket } from 'node:net';

/** Bytes that are read from a socket at once. */
const READ_SIZE = 256 * 1024;
/**
 * What every socket reads into: the bytes are used up before the next read begins. Node's own way, a new buffer for each
 * read, costs a broker under load a third of its time in garbage collection.
 */
const READ_BUFFER = Buffer.allocUnsafeSlow(READ_SIZE);

/** What Node keeps of an accepted connection, and takes as an option of a new socket. */
interface Accepted {
  _handle?: unknown;
  _server?: unknown;
  server?: unknown;
}

/**
 * Makes of a connection that a server accepted (paused, with `pauseOnConnect`) one that reads into a shared buffer.
 * `net.Socket` has that as its `onread` option, but a server does not pass it on; so the connection's handle moves into
 * a new socket. `receive` must not keep the bytes. Where Node has no such handle, the socket is used as it is.
 */
export function readShared(accepted: Socket, receive: (chunk: Buffer) => void): Socket {
  const from = accepted as Accepted;
  const handle = from._handle;
  if (!handle) {
    accepted.on('data', receive);
    accepted.resume();
    return accepted;
  }
  from._handle = null;
  const options = {
    handle,
    allowHalfOpen: true,
    readable: true,
    writable: true,
    onread: {
      buffer: READ_BUFFER,
      callback: (size: number): boolean => {
        receive(READ_BUFFER.subarray(0, size));
        return true;
      },
    },
  };
  const socket = new Socket(options);
  // The server counts its connections by these, to know when it is closed.
  const to = socket as Accepted;
  to.server = from.server;
  to._server = from._server;
  socket.resume();
  return socket;
}
