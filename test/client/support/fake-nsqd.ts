import { once } from 'node:events';
import net from 'node:net';
import { networkInterfaces } from 'node:os';
import { onTestFinished } from 'vitest';
import { encodeFrame, FrameType } from '../../../src/protocol/frame.js';

/** A command as a fake nsqd read it. */
export interface Command {
  readonly name: string;
  readonly params: readonly string[];
  readonly body: Buffer;
}

export type Reply = (peer: FakePeer, command: Command) => void;

export interface FakeOptions {
  /** What to do for a command instead of the usual; `silent` does nothing. */
  readonly on?: Readonly<Record<string, Reply>>;
  /** Fields of the answer to IDENTIFY. */
  readonly identify?: Readonly<Record<string, unknown>>;
  readonly host?: string;
  readonly port?: number;
  readonly path?: string;
}

export const silent: Reply = () => undefined;
export const cut: Reply = (peer) => peer.cut();

const WITH_BODY = new Set(['IDENTIFY', 'AUTH', 'PUB', 'MPUB', 'DPUB']);

const USUAL: Readonly<Record<string, Reply>> = {
  IDENTIFY: (peer) =>
    peer.respond(JSON.stringify({ max_rdy_count: 2500, msg_timeout: 60_000, ...peer.identify })),
  SUB: (peer) => peer.respond('OK'),
  PUB: (peer) => peer.respond('OK'),
  MPUB: (peer) => peer.respond('OK'),
  DPUB: (peer) => peer.respond('OK'),
  CLS: (peer) => peer.respond('CLOSE_WAIT'),
};

/** The messages of a PUB or MPUB. */
export function messagesOf({ name, body }: Command): string[] {
  if (name !== 'MPUB') return [body.toString()];
  const messages: string[] = [];
  for (let at = 4; at < body.length; ) {
    const end = at + 4 + body.readUInt32BE(at);
    messages.push(body.toString('utf8', at + 4, end));
    at = end;
  }
  return messages;
}

/** One client's connection to a fake nsqd. */
export class FakePeer {
  readonly socket: net.Socket;
  readonly identify: Readonly<Record<string, unknown>>;
  /** Every command, in order. */
  readonly commands: Command[] = [];
  /** Sizes of the chunks that arrived. */
  readonly chunks: number[] = [];
  readonly #on: Readonly<Record<string, Reply>>;
  #buffered = Buffer.alloc(0);
  #magic = false;
  #consumed = new Set<Command>();
  #wake: (() => void)[] = [];
  #isClosed = false;

  constructor(socket: net.Socket, options: FakeOptions) {
    this.socket = socket;
    this.identify = options.identify ?? {};
    this.#on = { ...USUAL, ...options.on };
    socket.on('data', (chunk) => this.#read(chunk));
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.#isClosed = true;
      this.#wakeAll();
    });
  }

  /** The next command of that name (or any) that was not taken yet. */
  async next(name?: string): Promise<Command> {
    for (;;) {
      const found = this.commands.find((one) => !this.#consumed.has(one) && (!name || one.name === name));
      if (found) {
        this.#consumed.add(found);
        return found;
      }
      if (this.#isClosed) throw new Error(`the client went without ${name ?? 'a command'}`);
      await new Promise<void>((resolve) => this.#wake.push(resolve));
    }
  }

  /** Waits until `test` holds, looking after each command. */
  async until(test: () => boolean): Promise<void> {
    while (!test() && !this.#isClosed) await new Promise<void>((resolve) => this.#wake.push(resolve));
    if (!test()) throw new Error('the client went before it was so');
  }

  async closed(): Promise<void> {
    while (!this.#isClosed) await new Promise<void>((resolve) => this.#wake.push(resolve));
  }

  count(name: string): number {
    return this.commands.filter((one) => one.name === name).length;
  }

  /** The RDY in force. */
  get rdy(): number {
    return Number(this.commands.findLast((one) => one.name === 'RDY')?.params[0] ?? 0);
  }

  raw(bytes: Buffer | string): void {
    this.socket.write(bytes);
  }

  respond(text: string): void {
    this.raw(encodeFrame(FrameType.Response, text));
  }

  error(line: string): void {
    this.raw(encodeFrame(FrameType.Error, line));
  }

  heartbeat(): void {
    this.respond('_heartbeat_');
  }

  message(...messages: readonly (readonly [id: number, body: string, attempts?: number])[]): void {
    this.raw(Buffer.concat(messages.map(([id, body, attempts]) => messageFrame(id, body, attempts))));
  }

  cut(): void {
    this.socket.destroy();
  }

  #read(chunk: Buffer): void {
    this.chunks.push(chunk.length);
    this.#buffered = Buffer.concat([this.#buffered, chunk]);
    if (!this.#magic) {
      if (this.#buffered.length < 4) return;
      if (this.#buffered.toString('latin1', 0, 4) !== '  V2') {
        this.cut();
        return;
      }
      this.#buffered = this.#buffered.subarray(4);
      this.#magic = true;
    }
    for (let command = this.#cut(); command !== undefined; command = this.#cut()) {
      this.commands.push(command);
      this.#on[command.name]?.(this, command);
    }
    this.#wakeAll();
  }

  #cut(): Command | undefined {
    const newline = this.#buffered.indexOf(10);
    if (newline < 0) return undefined;
    const [name = '', ...params] = this.#buffered.toString('latin1', 0, newline).split(' ');
    let end = newline + 1;
    let body = Buffer.alloc(0);
    if (WITH_BODY.has(name)) {
      if (this.#buffered.length < end + 4) return undefined;
      const start = end + 4;
      end = start + this.#buffered.readUInt32BE(end);
      if (this.#buffered.length < end) return undefined;
      body = Buffer.from(this.#buffered.subarray(start, end));
    }
    this.#buffered = this.#buffered.subarray(end);
    return { name, params, body };
  }

  #wakeAll(): void {
    const wake = this.#wake;
    this.#wake = [];
    for (const one of wake) one();
  }
}

/** A server that speaks as an nsqd would, or as a test wants it to. Gone when the test is. */
export class FakeNsqd {
  readonly address: string;
  readonly peers: FakePeer[] = [];
  readonly #server: net.Server;
  #taken = 0;
  #wake: (() => void)[] = [];

  constructor(server: net.Server, options: FakeOptions) {
    this.#server = server;
    const address = server.address();
    if (address === null) throw new Error('the server does not listen');
    if (typeof address === 'string') this.address = address;
    else
      this.address =
        address.family === 'IPv6'
          ? `[${address.address}]:${address.port}`
          : `${address.address}:${address.port}`;
    server.on('connection', (socket) => {
      this.peers.push(new FakePeer(socket, options));
      const wake = this.#wake;
      this.#wake = [];
      for (const one of wake) one();
    });
  }

  get port(): number {
    return Number(this.address.split(':').at(-1));
  }

  /** The next connection that was not taken yet. */
  async peer(): Promise<FakePeer> {
    for (;;) {
      const peer = this.peers[this.#taken];
      if (peer) {
        this.#taken++;
        return peer;
      }
      await new Promise<void>((resolve) => this.#wake.push(resolve));
    }
  }

  async stop(): Promise<void> {
    for (const peer of this.peers) peer.cut();
    if (!this.#server.listening) return;
    this.#server.close();
    await once(this.#server, 'close');
  }
}

export async function fakeNsqd(options: FakeOptions = {}): Promise<FakeNsqd> {
  const server = net.createServer();
  if (options.path) server.listen(options.path);
  else server.listen(options.port ?? 0, options.host ?? '127.0.0.1');
  await once(server, 'listening');
  const nsqd = new FakeNsqd(server, options);
  onTestFinished(() => nsqd.stop());
  return nsqd;
}

/** Whether this machine has an IPv6 loopback to listen on. */
export const hasIpv6 = Object.values(networkInterfaces()).some((list) =>
  list?.some((one) => one.address === '::1'),
);

/** An address where nothing listens. */
export async function deadAddress(): Promise<string> {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as net.AddressInfo;
  server.close();
  await once(server, 'close');
  return `127.0.0.1:${port}`;
}

export function messageId(id: number): string {
  return id.toString(16).padStart(16, '0');
}

function messageFrame(id: number, body: string, attempts = 1): Buffer {
  const head = Buffer.alloc(10);
  head.writeBigInt64BE(1_700_000_000_000_000_000n + BigInt(id), 0);
  head.writeUInt16BE(attempts, 8);
  return encodeFrame(FrameType.Message, Buffer.concat([head, Buffer.from(messageId(id)), Buffer.from(body)]));
}
