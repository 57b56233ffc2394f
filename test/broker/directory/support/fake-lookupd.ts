import { once } from 'node:events';
import { createServer as createHttpServer, type ServerResponse } from 'node:http';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { encodeLookupAnswer } from '../../../../src/protocol/lookup-answer.js';
import { LOOKUP_MAGIC } from '../../../../src/protocol/lookup-commands.js';
import { LookupReader } from '../../../../src/protocol/lookup-reader.js';
import { cleanup } from '../../../support/temp.js';

export interface FakeLookupdOptions {
  /** Answers a command; undefined leaves it without an answer. Default: as a lookupd does. */
  readonly answer?: (line: string, fake: FakeLookupd) => string | undefined;
  /** Answers a request for channels. Default: none. */
  readonly channels?: (response: ServerResponse, fake: FakeLookupd) => void;
  /** Default: 127.0.0.1. */
  readonly host?: string;
  readonly port?: number;
  /** Does not end its side of a connection when the broker ends the other. */
  readonly keepsOpen?: boolean;
}

/** A scripted lookupd, which notes the commands that it gets. */
export class FakeLookupd {
  /** Of all connections: IDENTIFY with its body, the others as they came. */
  readonly commands: string[] = [];
  readonly identities: Record<string, unknown>[] = [];
  /** Commands of the current connection. */
  current: string[] = [];
  connections = 0;
  requests = 0;
  readonly #options: FakeLookupdOptions;
  readonly #tcp: Server;
  readonly #http: ReturnType<typeof createHttpServer>;
  readonly #sockets = new Set<Socket>();
  #watchers: (() => void)[] = [];

  private constructor(options: FakeLookupdOptions) {
    this.#options = options;
    this.#tcp = createServer({ allowHalfOpen: options.keepsOpen ?? false }, (socket) => this.#accept(socket));
    this.#http = createHttpServer((_request, response) => {
      this.requests++;
      if (options.channels) options.channels(response, this);
      else response.end('{"channels":[]}');
      this.#wake();
    });
  }

  static async start(options: FakeLookupdOptions = {}): Promise<FakeLookupd> {
    const fake = new FakeLookupd(options);
    fake.#tcp.listen(options.port ?? 0, options.host ?? '127.0.0.1');
    fake.#http.listen(0, '127.0.0.1');
    await Promise.all([once(fake.#tcp, 'listening'), once(fake.#http, 'listening')]);
    cleanup(() => fake.stop());
    return fake;
  }

  get port(): number {
    return (this.#tcp.address() as AddressInfo).port;
  }

  get tcpAddress(): string {
    return `127.0.0.1:${this.port}`;
  }

  get introduction(): string {
    const { port } = this.#http.address() as AddressInfo;
    return JSON.stringify({ broadcast_address: '127.0.0.1', http_port: port, tcp_port: 1, version: 'fake' });
  }

  /** Resolves when `holds` does; looked at after every command, request and disconnection. */
  async until(holds: () => boolean): Promise<void> {
    while (!holds()) await new Promise<void>((resolve) => this.#watchers.push(resolve));
  }

  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  async stop(): Promise<void> {
    this.cut();
    if (!this.#tcp.listening) return;
    const closed = once(this.#tcp, 'close');
    this.#tcp.close();
    this.#http.closeAllConnections();
    this.#http.close();
    await closed;
  }

  #accept(socket: Socket): void {
    this.connections++;
    this.current = [];
    this.#sockets.add(socket);
    const reader = new LookupReader();
    let isOpen = false;
    let identifying = false;
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.#sockets.delete(socket);
      this.#wake();
    });
    socket.on('data', (chunk) => {
      reader.push(chunk);
      isOpen ||= reader.bytes(LOOKUP_MAGIC.length)?.equals(LOOKUP_MAGIC) ?? false;
      if (!isOpen) return;
      for (;;) {
        const block = identifying ? reader.block() : undefined;
        const line = identifying ? undefined : reader.line();
        if (block) this.identities.push(JSON.parse(block.toString()) as Record<string, unknown>);
        else if (line === undefined) break;
        identifying = line === 'IDENTIFY';
        if (identifying) continue;
        const command = line ?? 'IDENTIFY';
        this.commands.push(command);
        this.current.push(command);
        const answer = (this.#options.answer ?? usual)(command, this);
        if (answer !== undefined && socket.writable) socket.write(encodeLookupAnswer(answer));
      }
      this.#wake();
    });
  }

  #wake(): void {
    for (const watcher of this.#watchers.splice(0)) watcher();
  }
}

export function usual(command: string, fake: FakeLookupd): string {
  return command === 'IDENTIFY' ? fake.introduction : 'OK';
}
