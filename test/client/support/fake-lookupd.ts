import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

/** A lookupd of which the test says what it answers, and when. */
export class FakeLookupd {
  /** Queries, in order. */
  readonly queries: URLSearchParams[] = [];
  /** What was asked for. */
  readonly paths = new Set<string>();
  /** The `Authorization` of each. */
  readonly authorizations: (string | undefined)[] = [];
  /** What it answers; undefined leaves requests without an answer. */
  answer: ((response: ServerResponse, query: URLSearchParams) => void) | undefined;
  readonly #server: Server;
  #watchers: (() => void)[] = [];

  constructor() {
    this.#server = createServer((request, response) => {
      const { pathname, searchParams: query } = new URL(request.url ?? '', 'http://x');
      this.paths.add(pathname);
      this.queries.push(query);
      this.authorizations.push(request.headers.authorization);
      this.answer?.(response, query);
      for (const watcher of this.#watchers.splice(0)) watcher();
    });
  }

  get address(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Answers as a lookupd that knows these; with an index if it can be watched. */
  lists(nsqds: readonly string[], index?: number): void {
    this.answer = (response) => response.end(JSON.stringify({ ...lookupBody(nsqds), index }));
  }

  says(status: number, body: string): void {
    this.answer = (response) => response.writeHead(status).end(body);
  }

  /** Resolves when it was asked so many times. */
  async asked(count: number): Promise<void> {
    while (this.queries.length < count) await new Promise<void>((resolve) => this.#watchers.push(resolve));
  }

  async listen(port = 0): Promise<void> {
    this.#server.listen(port, '127.0.0.1');
    await once(this.#server, 'listening');
  }

  stop(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}

export async function fakeLookupd(
  nsqds: readonly string[] = [],
  index?: number,
  port = 0,
): Promise<FakeLookupd> {
  const lookupd = new FakeLookupd();
  lookupd.lists(nsqds, index);
  await lookupd.listen(port);
  onTestFinished(() => lookupd.stop());
  return lookupd;
}

export function lookupBody(nsqds: readonly string[]): Record<string, unknown> {
  const producers = nsqds.map((address) => {
    const colon = address.lastIndexOf(':');
    return { broadcast_address: address.slice(0, colon), tcp_port: Number(address.slice(colon + 1)) };
  });
  return { channels: [], producers };
}
