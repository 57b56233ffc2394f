import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { type RawFrame, type RawMessage, takeFrames } from '../../support/wire.js';

/** A connection to the broker: answers come in the order of the requests, messages as they come. */
export class Link {
  onMessage: (message: RawMessage) => void = () => {};
  /** Told of an error that is no request's answer: `E_FIN_FAILED` and the like. */
  onRefusal: (text: string) => void = () => {};
  onEnd: () => void = () => {};
  readonly #socket: Socket;
  readonly #waiting: ((answer: string | undefined) => void)[] = [];
  #rest: Buffer = Buffer.alloc(0);
  #ended = false;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.on('data', (chunk) => this.#receive(chunk));
    socket.on('error', () => this.#end());
    socket.on('close', () => this.#end());
  }

  static async open(address: string): Promise<Link> {
    const colon = address.lastIndexOf(':');
    const socket = connect(Number(address.slice(colon + 1)), address.slice(0, colon));
    await once(socket, 'connect');
    const link = new Link(socket);
    link.send('  V2');
    return link;
  }

  get ended(): boolean {
    return this.#ended;
  }

  send(...parts: readonly (Buffer | string)[]): void {
    if (this.#ended) return;
    this.#socket.write(Buffer.concat(parts.map((part) => Buffer.from(part as string))));
  }

  /** Resolves with the answer, undefined if the connection ended first. */
  request(...parts: readonly (Buffer | string)[]): Promise<string | undefined> {
    if (this.#ended) return Promise.resolve(undefined);
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      this.send(...parts);
    });
  }

  close(): void {
    this.#socket.destroy();
    this.#end();
  }

  #receive(chunk: Buffer): void {
    const { frames, rest } = takeFrames(Buffer.concat([this.#rest, chunk]), 'typed');
    this.#rest = rest;
    for (const frame of frames) if (!this.#ended) this.#accept(frame);
  }

  #accept(frame: RawFrame): void {
    if (frame.type === 'message') this.onMessage(frame);
    else if (frame.text === '_heartbeat_') this.send('NOP\n');
    else if (/^E_(FIN|REQ|TOUCH)_FAILED/.test(frame.text)) this.onRefusal(frame.text);
    else this.#waiting.shift()?.(frame.text);
  }

  #end(): void {
    if (this.#ended) return;
    this.#ended = true;
    for (const resolve of this.#waiting.splice(0)) resolve(undefined);
    this.onEnd();
  }
}
