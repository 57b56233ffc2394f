import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Certificate } from './certificates.js';
import { cleanup } from './temp.js';

export interface AuthCall {
  readonly method: string;
  readonly path: string;
  /** The fields of the query, or of what was posted. */
  readonly fields: Readonly<Record<string, unknown>>;
  readonly headers: IncomingMessage['headers'];
}

export interface AuthReply {
  readonly status?: number;
  /** Sent as JSON, text as it is. */
  readonly body: unknown;
}

/** Everything is allowed for an hour. */
export const ALLOW_ALL = {
  ttl: 3600,
  identity: 'somebody',
  identity_url: 'http://example.com/?a=1&b=2',
  authorizations: [{ topic: '.*', channels: ['.*'], permissions: ['subscribe', 'publish'] }],
};

/** A scripted auth server. */
export class AuthServer {
  readonly calls: AuthCall[] = [];
  /** What the next calls are answered. */
  reply: AuthReply | (() => AuthReply | Promise<AuthReply>) = { body: ALLOW_ALL };
  readonly port: number;

  private constructor(port: number) {
    this.port = port;
  }

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  static async start(tls?: Certificate): Promise<AuthServer> {
    const listener: Parameters<typeof createServer>[1] = async (request, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      const url = new URL(request.url ?? '/', 'http://host');
      const posted = Buffer.concat(chunks).toString();
      const fields = posted === '' ? Object.fromEntries(url.searchParams) : JSON.parse(posted);
      const { method = '', headers } = request;
      auth.calls.push({ method, path: url.pathname, fields, headers });
      const { status = 200, body } = typeof auth.reply === 'function' ? await auth.reply() : auth.reply;
      response.writeHead(status);
      response.end(typeof body === 'string' ? body : JSON.stringify(body));
    };
    const server = tls ? createHttpsServer(tls, listener) : createServer(listener);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    cleanup(() => server.close());
    const auth = new AuthServer((server.address() as AddressInfo).port);
    return auth;
  }
}
