import { once } from 'node:events';
import { connect as connectTcp, type Socket } from 'node:net';
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from 'node:tls';
import { cleanup } from './temp.js';
import { type RawFrame, sized, takeFrames } from './wire.js';

/** Frames of a stream, one at a time. */
export class StreamFrames {
  readonly #queue: RawFrame[] = [];
  #rest: Buffer = Buffer.alloc(0);
  #ended = false;
  #wake = (): void => {};

  constructor(stream: NodeJS.ReadableStream) {
    stream.on('data', (chunk: Buffer) => {
      const { frames, rest } = takeFrames(Buffer.concat([this.#rest, chunk]), 'typed');
      this.#rest = rest;
      this.#queue.push(...frames);
      this.#wake();
    });
    const end = (): void => {
      this.#ended = true;
      this.#wake();
    };
    stream.on('end', end).on('close', end).on('error', end);
  }

  /** The text of the next frame, or `ended`. */
  async next(): Promise<string> {
    while (this.#queue.length === 0 && !this.#ended)
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    const frame = this.#queue.shift();
    if (!frame) return 'ended';
    return frame.type === 'message' ? frame.body.toString() : frame.text;
  }
}

/** A connection that was told that it may go on with what `fields` ask for; nothing is read any more. */
export async function identified(
  tcpAddress: string,
  fields: Readonly<Record<string, unknown>>,
): Promise<Socket> {
  const { hostname, port } = new URL(`tcp://${tcpAddress}`);
  const socket = connectTcp(Number(port), hostname);
  cleanup(() => socket.destroy());
  await once(socket, 'connect');
  socket.on('error', () => {});
  const body = JSON.stringify({ feature_negotiation: true, ...fields });
  socket.write(Buffer.concat([Buffer.from('  V2IDENTIFY\n'), sized(body)]));
  // Of the plain socket nothing must be read but the answer, which comes alone: TLS begins with the client.
  await once(socket, 'data');
  return socket;
}

export interface SecuredClient {
  readonly socket: TLSSocket;
  readonly frames: StreamFrames;
}

/** A client that has begun its TLS handshake. */
export async function secured(
  tcpAddress: string,
  options: ConnectionOptions,
  fields: Readonly<Record<string, unknown>> = {},
): Promise<SecuredClient> {
  const plain = await identified(tcpAddress, { tls_v1: true, ...fields });
  const socket = connectTls({ socket: plain, host: '127.0.0.1', ...options });
  socket.on('error', () => {});
  cleanup(() => socket.destroy());
  return { socket, frames: new StreamFrames(socket) };
}
