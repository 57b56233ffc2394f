import type { Duplex } from 'node:stream';
import { isCodecError, type Layer } from '../net/layer.js';
import { tlsReason } from '../net/tls-reason.js';
import { encodeIdentify, MAGIC, NOP } from '../protocol/commands.js';
import { FrameType } from '../protocol/frame.js';
import { FrameError } from '../protocol/frame-decoder.js';
import type { Address } from './address.js';
import { BrokerError, ConnectionError, type ConnectionErrorCode } from './errors.js';
import { FrameReader } from './frame-reader.js';
import { identifyFields, type Negotiated, readNegotiated } from './identify.js';
import type { ConnectionSettings } from './options.js';
import type { TlsOptions } from './tls-options.js';

/** A stream that is ready for commands, and what holds for it. It is paused. */
export interface Handshake {
  readonly stream: Duplex;
  readonly negotiated: Negotiated;
}

/**
 * Magic, IDENTIFY, and what the answer says is to become of the connection, in the broker's order:
 *
 *     IDENTIFY ─▶ answer ─▶ TLS handshake ─▶ OK ─▶ snappy or deflate ─▶ OK
 *
 * Each step is bounded by `handshakeTimeout`. On failure, and when `signal` is aborted, the socket is destroyed.
 * @throws ConnectionError or BrokerError
 */
export async function shakeHands(
  socket: Duplex,
  address: Address,
  settings: ConnectionSettings,
  signal: AbortSignal,
): Promise<Handshake> {
  try {
    return await new Attempt(socket, address, settings, signal).run();
  } catch (error) {
    socket.destroy();
    throw error;
  }
}

class Attempt {
  readonly #address: Address;
  readonly #settings: ConnectionSettings;
  readonly #signal: AbortSignal;
  #stream: Duplex;
  #reader: FrameReader;

  constructor(socket: Duplex, address: Address, settings: ConnectionSettings, signal: AbortSignal) {
    this.#address = address;
    this.#settings = settings;
    this.#signal = signal;
    this.#stream = socket;
    this.#reader = new FrameReader(socket);
  }

  async run(): Promise<Handshake> {
    this.#stream.write(Buffer.concat([MAGIC, encodeIdentify(identifyFields(this.#settings))]));
    const negotiated = readNegotiated(await this.#answer());
    if (negotiated === undefined)
      throw this.#error('E_HANDSHAKE', 'the answer to IDENTIFY is neither OK nor a JSON object');
    const { tls } = this.#settings;
    if (tls && !negotiated.tls) throw this.#error('E_TLS', 'the broker does not offer TLS');
    if (tls) await this.#secure(tls);
    if (negotiated.compression !== 'none') await this.#compress(negotiated);
    const rest = this.#reader.release();
    if (rest.length > 0) this.#stream.unshift(rest);
    return { stream: this.#stream, negotiated };
  }

  async #secure(options: TlsOptions): Promise<void> {
    const rest = this.#reader.release();
    if (rest.length > 0)
      throw this.#error('E_PROTOCOL', 'the broker sent something before the TLS handshake');
    const { secure } = await import('./tls.js');
    try {
      this.#stream = await this.#bounded('no TLS handshake', secure(this.#stream, this.#address, options));
    } catch (cause) {
      if (cause instanceof ConnectionError) throw cause;
      throw this.#error('E_TLS', `the TLS handshake failed: ${wordsOf(cause)}`, cause);
    }
    await this.#ready();
  }

  async #compress({ compression, deflateLevel }: Negotiated): Promise<void> {
    const rest = this.#reader.release();
    let layer: Layer;
    if (compression === 'deflate') {
      const { DeflateLayer } = await import('../net/deflate-layer.js');
      layer = new DeflateLayer(this.#stream, deflateLevel);
    } else {
      const { SnappyLayer } = await import('../net/snappy-layer.js');
      layer = new SnappyLayer(this.#stream);
    }
    this.#stream = layer;
    if (rest.length > 0) layer.feed(rest);
    layer.readBelow();
    await this.#ready();
  }

  /** The broker says OK over what the connection has become. */
  async #ready(): Promise<void> {
    this.#reader = new FrameReader(this.#stream);
    const answer = await this.#answer();
    if (answer !== 'OK')
      throw this.#error('E_HANDSHAKE', `the upgrade was answered with ${answer.slice(0, 80)}`);
  }

  /** The next response. */
  async #answer(): Promise<string> {
    for (;;) {
      const { type, text } = await this.#frame();
      if (type === FrameType.Error) throw new BrokerError(this.#address.text, text);
      if (type === FrameType.Message)
        throw this.#error('E_PROTOCOL', 'a message came before the handshake was done');
      if (text !== '_heartbeat_') return text;
      this.#stream.write(NOP);
    }
  }

  async #frame(): ReturnType<FrameReader['next']> {
    try {
      return await this.#bounded('no answer', this.#reader.next());
    } catch (cause) {
      if (cause instanceof ConnectionError) throw cause;
      throw this.#error(codeFor(cause), wordsOf(cause), cause);
    }
  }

  /** @throws ConnectionError when it takes too long, or the attempt is given up */
  #bounded<T>(what: string, step: Promise<T>): Promise<T> {
    const ms = this.#settings.handshakeTimeout;
    return new Promise((resolve, reject) => {
      const onAbort = (): void => reject(this.#error('E_CLOSED', 'the connection was closed'));
      const timer = setTimeout(() => reject(this.#error('E_CONNECT_TIMEOUT', `${what} within ${ms} ms`)), ms);
      this.#signal.addEventListener('abort', onAbort, { once: true });
      if (this.#signal.aborted) onAbort();
      step.then(resolve, reject).finally(() => {
        clearTimeout(timer);
        this.#signal.removeEventListener('abort', onAbort);
      });
    });
  }

  #error(code: ConnectionErrorCode, words: string, cause?: unknown): ConnectionError {
    return new ConnectionError(code, this.#address.text, words, cause === undefined ? undefined : { cause });
  }
}

function codeFor(cause: unknown): ConnectionErrorCode {
  if (cause instanceof FrameError || isCodecError(cause)) return 'E_PROTOCOL';
  // With TLS 1.3, that the broker wants another certificate is known only after this side's handshake.
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
  return code.startsWith('ERR_SSL') ? 'E_TLS' : 'E_CONNECTION_LOST';
}

function wordsOf(cause: unknown): string {
  return cause instanceof Error ? tlsReason(cause) : String(cause);
}
