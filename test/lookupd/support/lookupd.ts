import { type Lookupd, type LookupdOptions, startLookupd } from '../../../src/lookupd/index.js';
import { RawClient } from '../../support/raw-client.js';
import { cleanup } from '../../support/temp.js';
import { sized } from '../../support/wire.js';

export async function lookupdOf(options: LookupdOptions = {}): Promise<Lookupd> {
  const lookupd = await startLookupd(options);
  cleanup(() => lookupd.close());
  return lookupd;
}

export interface Answer {
  readonly status: number;
  readonly body: string;
  // Answers differ; each test knows what it asked for.
  readonly json: Record<string, never>;
  readonly headers: Headers;
}

/** One request; the path's first word may be a method other than GET. */
export async function ask(lookupd: Lookupd, request: string, signal?: AbortSignal): Promise<Answer> {
  const [path = '', method = 'GET'] = request.split(' ').reverse();
  const response = await fetch(`http://${lookupd.httpAddress}${path}`, {
    method,
    redirect: 'manual',
    ...(signal ? { signal } : {}),
  });
  const body = await response.text();
  const json = (body.startsWith('{') ? JSON.parse(body) : {}) as Answer['json'];
  return { status: response.status, body, json, headers: response.headers };
}

/** A scripted broker of protocol V1. */
export class ScriptedBroker {
  readonly raw: RawClient;
  readonly name: string;

  private constructor(raw: RawClient, name: string) {
    this.raw = raw;
    this.name = name;
  }

  static async connect(lookupd: Lookupd, magic = '  V1'): Promise<RawClient> {
    return RawClient.connect(lookupd.tcpAddress, { framing: 'plain', magic });
  }

  /** Connects and identifies itself as host `name`, TCP port 1, HTTP port 2. */
  static async start(lookupd: Lookupd, name: string, ...lines: string[]): Promise<ScriptedBroker> {
    const broker = new ScriptedBroker(await ScriptedBroker.connect(lookupd), name);
    await broker.raw.request('IDENTIFY\n', sized(JSON.stringify(identity(name))));
    for (const line of lines) await broker.send(line);
    return broker;
  }

  /** One command; the answer to it. */
  send(line: string): Promise<string> {
    return this.raw.request(`${line}\n`);
  }

  /** Ends the connection, and waits until the lookupd has seen it. */
  async leave(lookupd: Lookupd): Promise<void> {
    this.raw.close();
    await until(async () => !(await nodesOf(lookupd)).includes(this.name));
  }
}

export function identity(name: string): Record<string, unknown> {
  return { hostname: name, broadcast_address: name, tcp_port: 1, http_port: 2, version: '1.3.0' };
}

/** Broadcast addresses of the topic's producers. */
export async function producersOf(lookupd: Lookupd, topic: string): Promise<string[]> {
  const { json } = await ask(lookupd, `/lookup?topic=${encodeURIComponent(topic)}`);
  return namesOf(json);
}

export async function nodesOf(lookupd: Lookupd): Promise<string[]> {
  return namesOf((await ask(lookupd, '/nodes')).json);
}

export function namesOf(json: Record<string, unknown>): string[] {
  const producers = (json.producers ?? []) as { broadcast_address: string }[];
  return producers.map((it) => it.broadcast_address);
}

/** Asks again until it holds: for what another process or connection has to be seen to do. */
export async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setImmediate(resolve));
}
