import type { Socket } from 'node:net';
import { type SecureContext, TLSSocket } from 'node:tls';
import { HANDSHAKE_TIMEOUT } from './handshake-start.js';

interface HandshakeOptions {
  readonly context: SecureContext;
  readonly clientAuth: '' | 'require' | 'require-verify';
}

/** What Node keeps of a certificate's verification, and shows only of sockets that its own TLS server accepted. */
interface Verified {
  readonly ssl?: { readonly verifyError?: () => Error | null | undefined };
}

/** See {@link ServerTls.secure}. */
export function secure(
  socket: Socket,
  first: Buffer,
  { context, clientAuth }: HandshakeOptions,
  done: (error: Error | undefined, secured: TLSSocket) => void,
): void {
  socket.pause();
  socket.unshift(Buffer.from(first));
  const needsCertificate = clientAuth !== '';
  const secured = new TLSSocket(socket, {
    isServer: true,
    secureContext: context,
    requestCert: needsCertificate,
    rejectUnauthorized: needsCertificate,
  });
  let isSettled = false;
  const settle = (error?: Error): void => {
    clearTimeout(timer);
    secured.off('end', onEnd);
    if (isSettled) return;
    isSettled = true;
    if (error) secured.destroy();
    done(error, secured);
  };
  const onEnd = (): void => settle(new Error('the client closed the connection within the TLS handshake'));
  const timer = setTimeout(
    () => settle(new Error(`no TLS handshake within ${HANDSHAKE_TIMEOUT} ms`)),
    HANDSHAKE_TIMEOUT,
  );
  secured.once('secure', () => settle(clientAuth === 'require-verify' ? verifyError(secured) : undefined));
  secured.on('error', settle);
  secured.once('close', onEnd);
  secured.once('end', onEnd);
  // Nothing can be read before the handshake is done but the end.
  secured.resume();
}

/** What is wrong with the peer's certificate. When that cannot be told, the client is refused. */
function verifyError(secured: TLSSocket): Error | undefined {
  const { ssl } = secured as Verified;
  if (typeof ssl?.verifyError !== 'function') return new Error('the certificate cannot be verified');
  return ssl.verifyError() ?? undefined;
}
