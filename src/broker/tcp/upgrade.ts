import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import { DeflateLayer } from '../../net/deflate-layer.js';
import { SnappyLayer } from '../../net/snappy-layer.js';
import { tlsReason } from '../../net/tls-reason.js';
import { ProtocolError } from '../../protocol/errors.js';
import { encodeFrame, FrameType } from '../../protocol/frame.js';
import { HANDSHAKE_TIMEOUT, looksLikeTls } from '../tls/handshake-start.js';
import type { ServerTls } from '../tls/server-tls.js';

const OK = encodeFrame(FrameType.Response, 'OK');

/** A socket, or what is on top of one. */
export type SessionStream = Duplex & Pick<Socket, 'destroySoon'>;

/** What becomes of a connection after IDENTIFY, in this order. */
export interface UpgradeSteps {
  readonly tls: boolean;
  readonly snappy: boolean;
  /** 0: no deflate. */
  readonly deflateLevel: number;
}

/** Takes bytes as they come from the socket. */
export interface EncodedSink {
  feed(chunk: Buffer): void;
  feedEnd(): void;
}

/** The connection that is upgraded. */
export interface UpgradeHost {
  readonly socket: Socket;
  readonly tls: ServerTls | undefined;
  log(step: string): void;
  /** Bytes from the socket go there from now on. */
  route(sink: EncodedSink): void;
  /** It is this stream that is read and written from now on; `OK` is on its way. */
  upgraded(stream: SessionStream, secured: TLSSocket | undefined): void;
  failed(error: Error): void;
}

/**
 * Turns a connection into one with TLS, compression or both, an OK after each step as the first thing sent over it:
 *
 *     answer to IDENTIFY ─▶ TLS handshake ─▶ OK ─▶ snappy or deflate ─▶ OK
 */
export class Upgrade implements EncodedSink {
  readonly #host: UpgradeHost;
  readonly #steps: UpgradeSteps;
  #timer: NodeJS.Timeout | undefined;

  constructor(host: UpgradeHost, steps: UpgradeSteps) {
    this.#host = host;
    this.#steps = steps;
  }

  /** Begins, once the answer to IDENTIFY is written. `rest` has come behind it. */
  begin(rest: Buffer): void {
    // It may have been paused while too much was to be written: all of that is out now.
    this.#host.socket.resume();
    if (!this.#steps.tls) {
      this.#compress(this.#host.socket, undefined, rest);
      return;
    }
    this.#host.log('upgrading connection to TLS');
    this.#timer = setTimeout(
      () => this.#refuse(`no TLS handshake within ${HANDSHAKE_TIMEOUT} ms`),
      HANDSHAKE_TIMEOUT,
    );
    this.#host.route(this);
    if (rest.length > 0) this.feed(rest);
  }

  /** The connection is gone. */
  cancel(): void {
    clearTimeout(this.#timer);
  }

  /** The first bytes of a handshake, or of something else: that is told why it is refused. */
  feed(chunk: Buffer): void {
    clearTimeout(this.#timer);
    const { socket, tls } = this.#host;
    if (!tls || !looksLikeTls(chunk)) {
      this.#refuse('tls: first record does not look like a TLS handshake');
      return;
    }
    tls.secure(socket, chunk, (error, secured) => {
      if (error) {
        this.#host.failed(new Error(`TLS handshake failed: ${tlsReason(error)}`, { cause: error }));
        return;
      }
      secured.write(OK);
      this.#compress(secured, secured, Buffer.alloc(0));
    });
  }

  feedEnd(): void {
    this.#refuse('the client closed the connection before the TLS handshake');
  }

  #compress(below: Socket, secured: TLSSocket | undefined, rest: Buffer): void {
    const { snappy, deflateLevel } = this.#steps;
    if (!snappy && deflateLevel === 0) {
      // Without TLS there would have been no upgrade.
      if (secured) this.#host.upgraded(secured, secured);
      return;
    }
    this.#host.log(`upgrading connection to ${snappy ? 'snappy' : `deflate (level ${deflateLevel})`}`);
    const layer = snappy ? new SnappyLayer(below) : new DeflateLayer(below, deflateLevel);
    layer.write(OK);
    if (secured) layer.readBelow();
    else this.#host.route(layer);
    this.#host.upgraded(layer, secured);
    if (rest.length > 0) layer.feed(rest);
  }

  #refuse(words: string): void {
    this.cancel();
    this.#host.failed(new ProtocolError('E_IDENTIFY_FAILED', `IDENTIFY failed ${words}`));
  }
}
