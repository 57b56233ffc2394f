import { createServer as createHttpServer, type RequestListener } from 'node:http';
import type { TLSSocket } from 'node:tls';
import { parseQuery, type Query } from '../../http/query.js';
import { type CreateServer, HttpServer as DaemonServer } from '../../http/server.js';
import type { Broker } from '../broker.js';
import type { ServerTls } from '../tls/server-tls.js';
import { portOf } from './info.js';
import { type Request, ROUTES } from './routes.js';

/** nsqd's HTTP API. */
export class HttpServer extends DaemonServer<Broker, Request> {
  constructor(broker: Broker, createServer?: CreateServer) {
    super({
      context: broker,
      routes: ROUTES,
      request: ({ rawQuery, option, body }) => {
        let query: Query | undefined;
        return {
          broker,
          option,
          body,
          // A query that cannot be read is the trouble of the routes that read it.
          get query(): Query {
            query ??= parseQuery(rawQuery);
            return query;
          },
        };
      },
      ...(createServer && { createServer }),
    });
  }

  /** The API without TLS. Where that is required, it only says where the other one is. */
  static plain(broker: Broker): HttpServer {
    if (!broker.tlsRequired.http) return new HttpServer(broker);
    return new HttpServer(broker, (options) => createHttpServer(options, refusePlain(broker)));
  }

  /** The API over TLS. */
  static async secure(broker: Broker, tls: ServerTls): Promise<HttpServer> {
    const { createServer } = await import('node:https');
    const ofClients = {
      requestCert: tls.clientAuth !== '',
      rejectUnauthorized: tls.clientAuth === 'require-verify',
    };
    return new HttpServer(broker, (options, listener) => {
      const server = createServer({ ...options, ...tls.options, ...ofClients }, listener);
      if (tls.clientAuth === 'require') server.on('secureConnection', refuseWithoutCertificate);
      return server;
    });
  }
}

function refuseWithoutCertificate(socket: TLSSocket): void {
  if (socket.getPeerX509Certificate() === undefined) socket.destroy();
}

/** Answers everything with where to ask instead; the bytes are nsqd's. */
function refusePlain(broker: Broker): RequestListener {
  return (request, response) => {
    request.resume();
    const port = Math.max(0, portOf(broker.httpsAddress));
    const body = `{"message": "TLS_REQUIRED", "https_port": ${port}}`;
    response.writeHead(403, {
      'X-Nsq-Content-Type': 'nsq; version=1.0',
      'Content-Type': 'application/json; charset=utf-8',
      'Content-Length': body.length,
    });
    response.end(request.method === 'HEAD' ? '' : body);
  };
}
