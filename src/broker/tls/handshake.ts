import type { Socket } from 'node:net';
import { createServer, type SecureContext, type SecureContextOptions, TLSSocket } from 'node:tls';
import { HANDSHAKE_TIMEOUT } from './handshake-start.js';

interface HandshakeOptions {
  readonly context: SecureContext;
  /** What `context` was made of. */
  readonly contextOptions: SecureContextOptions;
  readonly clientAuth: '' | 'require' | 'require-verify';
}

/** Called once; with an error, `secured` is destroyed. */
type Settle = (error: Error | undefined, secured: TLSSocket) => void;

/** See {@link ServerTls.secure}. */
export function secure(socket: Socket, first: Buffer, options: HandshakeOptions, done: Settle): void {
  socket.pause();
  socket.unshift(Buffer.from(first));
  let isSettled = false;
  const settle: Settle = (error, secured) => {
    if (isSettled) return;
    isSettled = true;
    if (error) secured.destroy();
    done(error, secured);
  };
  if (options.clientAuth === 'require-verify') verify(socket, options.contextOptions, settle);
  else encrypt(socket, options.context, options.clientAuth === 'require', settle);
}

/** @param needsCertificate the client must show one, signed by whomever */
function encrypt(
  socket: Socket,
  secureContext: SecureContext,
  needsCertificate: boolean,
  done: Settle,
): void {
  const secured = new TLSSocket(socket, {
    isServer: true,
    secureContext,
    requestCert: needsCertificate,
    rejectUnauthorized: needsCertificate,
  });
  const settle = (error?: Error): void => {
    clearTimeout(timer);
    secured.off('end', onEnd);
    done(error, secured);
  };
  const onEnd = (): void => settle(new Error('the client closed the connection within the TLS handshake'));
  const timer = setTimeout(
    () => settle(new Error(`no TLS handshake within ${HANDSHAKE_TIMEOUT} ms`)),
    HANDSHAKE_TIMEOUT,
  );
  secured.once('secure', () => settle());
  secured.on('error', settle);
  secured.once('close', onEnd);
  secured.once('end', onEnd);
  // Nothing can be read before the handshake is done but the end.
  secured.resume();
}

/**
 * Node says of a client's certificate whether it is to be trusted only where its own TLS server made the socket. Such a
 * server takes connections that others accepted, and says which it speaks of only by being that connection's own.
 */
function verify(socket: Socket, contextOptions: SecureContextOptions, done: Settle): void {
  const server = createServer({
    ...contextOptions,
    requestCert: true,
    rejectUnauthorized: true,
    handshakeTimeout: HANDSHAKE_TIMEOUT,
  });
  server.once('secureConnection', (secured) => {
    secured.on('error', (error) => done(error, secured));
    done(undefined, secured);
  });
  server.once('tlsClientError', (error, secured) => {
    const { authorizationError: reason } = secured;
    done(reason ? new Error(`the client's certificate is not to be trusted: ${reason}`) : error, secured);
  });
  server.emit('connection', socket);
}
