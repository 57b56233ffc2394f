import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type HttpAddress, parseHttpAddress } from '../../../src/cli/cluster/http-address.js';
import { NodeClient } from '../../../src/cli/cluster/node-client.js';
import { unreachable } from '../../../src/cli/cluster/node-error.js';
import { cleanup } from '../../support/temp.js';

/** What a daemon answers to a request: JSON, or whatever it writes itself. */
export type Script = (request: IncomingMessage, response: ServerResponse) => unknown;

export interface FakeDaemon {
  readonly address: HttpAddress;
  /** `METHOD /path?query` of each request. */
  readonly requests: readonly string[];
  stop(): Promise<void>;
}

/** A daemon that answers as the script says; a value that it returns goes out as JSON. */
export async function fakeDaemon(script: Script): Promise<FakeDaemon> {
  const requests: string[] = [];
  const server = createServer((request, response) => {
    requests.push(`${request.method} ${request.url}`);
    const value = script(request, response);
    if (value !== undefined) response.end(JSON.stringify(value));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const stop = async (): Promise<void> => {
    server.closeAllConnections();
    server.close();
  };
  cleanup(stop);
  const { port } = server.address() as AddressInfo;
  return { address: parseHttpAddress('nsqd-http-address', `127.0.0.1:${port}`), requests, stop };
}

/** The statistics of an nsqd: for each topic its depth, and its channels by their depths. */
export function statsAnswer(
  topics: Readonly<Record<string, readonly [number, Record<string, number>]>>,
): unknown {
  return {
    version: '1.3.0',
    health: 'OK',
    topics: Object.entries(topics).map(([name, [depth, channels]]) => ({
      topic_name: name,
      depth,
      backend_depth: 0,
      message_count: 100,
      paused: false,
      channels: Object.entries(channels).map(([channel, channelDepth]) => ({
        channel_name: channel,
        depth: channelDepth,
        backend_depth: 2,
        in_flight_count: 1,
        deferred_count: 0,
        message_count: 100,
        requeue_count: 0,
        timeout_count: 0,
        client_count: 3,
        clients: null,
        paused: false,
      })),
    })),
  };
}

/** Finds a certificate everywhere that it does not trust. */
export class Distrustful extends NodeClient {
  constructor() {
    super({ connectTimeout: 1000, requestTimeout: 1000 });
  }

  override get({ text }: HttpAddress): Promise<never> {
    const expired = Object.assign(new Error('certificate has expired'), { code: 'CERT_HAS_EXPIRED' });
    return Promise.reject(unreachable(text, expired));
  }

  override post(address: HttpAddress): Promise<never> {
    return this.get(address);
  }
}

/** Nobody listens there. */
export const NOWHERE: HttpAddress = parseHttpAddress('nsqd-http-address', '127.0.0.1:1');
