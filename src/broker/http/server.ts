import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Broker } from '../broker.js';
import { messageOf } from '../errors.js';
import { HttpError, parseQuery } from './query.js';
import { type Answer, ROUTES, type Route } from './routes.js';

const CONFIG = '/config/';
const VERSION_HEADER = 'X-NSQ-Content-Type';
const VERSION = 'nsq; version=1.0';
const JSON_TYPE = 'application/json; charset=utf-8';
const TEXT_TYPE = 'text/plain; charset=utf-8';
const NO_BODY = Buffer.alloc(0);

/** nsqd's HTTP API: finds the route, reads the body within its bounds, answers. */
export class HttpServer {
  readonly server: Server;
  readonly #broker: Broker;

  constructor(broker: Broker) {
    this.#broker = broker;
    this.server = createServer((request, response) => this.#onRequest(request, response));
  }

  async close(): Promise<void> {
    if (!this.server.listening) return;
    await new Promise<void>((resolve) => {
      this.server.close(() => resolve());
      this.server.closeIdleConnections();
      setImmediate(() => this.server.closeAllConnections());
    });
  }

  #onRequest(request: IncomingMessage, response: ServerResponse): void {
    const url = request.url ?? '/';
    const mark = url.indexOf('?');
    const path = mark === -1 ? url : url.slice(0, mark);
    const rawQuery = mark === -1 ? '' : url.slice(mark + 1);
    const option = path.startsWith(CONFIG) ? path.slice(CONFIG.length) : '';
    const methods = option !== '' && !option.includes('/') ? ROUTES.get(CONFIG) : ROUTES.get(path);
    if (!methods || path === CONFIG) return this.#notFound(request, response, path, rawQuery);
    const route = methods[request.method ?? ''];
    if (!route) return this.#otherMethod(request, response, Object.keys(methods));
    this.#readBody(request, response, route, (body) => {
      this.#run(request, response, route, () =>
        route.handle({ broker: this.#broker, query: parseQuery(rawQuery), option, body }),
      );
    });
  }

  #run(
    request: IncomingMessage,
    response: ServerResponse,
    route: Route,
    handle: () => Answer | Promise<Answer>,
  ): void {
    try {
      const answer = handle();
      if (!(answer instanceof Promise)) return this.#answer(request, response, answer);
      answer.then(
        (it) => this.#answer(request, response, it),
        (error: unknown) => this.#fail(request, response, error, route),
      );
    } catch (error) {
      this.#fail(request, response, error, route);
    }
  }

  /** Collects the body. One that is too long is refused as soon as that shows, and the connection ends. */
  #readBody(
    request: IncomingMessage,
    response: ServerResponse,
    route: Route,
    done: (body: Buffer) => void,
  ): void {
    const limit = route.limit(this.#broker);
    const tooLarge = (): void => {
      request.removeAllListeners('data').removeAllListeners('end');
      request.resume();
      response.setHeader('Connection', 'close');
      this.#fail(request, response, new HttpError(413, route.tooLarge), route);
    };
    if (Number(request.headers['content-length'] ?? 0) > limit) return tooLarge();
    let first: Buffer | undefined;
    let more: Buffer[] | undefined;
    let size = 0;
    request.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size > limit) return tooLarge();
      if (!first) first = chunk;
      else if (more) more.push(chunk);
      else more = [first, chunk];
    });
    request.on('end', () => done(more ? Buffer.concat(more, size) : (first ?? NO_BODY)));
    request.on('error', (error) => this.#broker.logger.debug(`HTTP: ${error.message}`));
  }

  #answer(request: IncomingMessage, response: ServerResponse, answer: Answer): void {
    if (answer === undefined) this.#send(request, response, 200, '', undefined);
    else if (typeof answer === 'string') this.#send(request, response, 200, answer, TEXT_TYPE);
    else this.#send(request, response, 200, JSON.stringify(answer.json), JSON_TYPE);
  }

  #fail(request: IncomingMessage, response: ServerResponse, error: unknown, route?: Route): void {
    const known = error instanceof HttpError ? error : new HttpError(500, 'INTERNAL_ERROR', { cause: error });
    if (known.cause !== undefined)
      this.#broker.logger.error(`HTTP: ${request.url} - ${messageOf(known.cause)}`);
    if (route?.plainErrors) this.#send(request, response, known.status, known.code, TEXT_TYPE);
    else this.#send(request, response, known.status, JSON.stringify({ message: known.code }), JSON_TYPE);
  }

  #send(
    request: IncomingMessage,
    response: ServerResponse,
    status: number,
    body: string,
    type: string | undefined,
  ): void {
    if (response.writableEnded || response.destroyed) return;
    const headers: Record<string, string | number> = {
      [VERSION_HEADER]: VERSION,
      'Content-Length': Buffer.byteLength(body),
    };
    if (type) headers['Content-Type'] = type;
    response.writeHead(status, headers);
    response.end(request.method === 'HEAD' ? '' : body);
    const { logger } = this.#broker;
    if (request.method !== 'POST' || !request.url?.includes('pub')) {
      logger.info(`${status} ${request.method} ${request.url} (${request.socket.remoteAddress ?? '@'})`);
    }
  }

  /** What Go's router answers where no route is: a redirect if only a slash or the case is off, else 404. */
  #notFound(request: IncomingMessage, response: ServerResponse, path: string, rawQuery: string): void {
    request.resume();
    const trimmed = path.replace(/\/+$/, '').toLowerCase();
    const known =
      ROUTES.get(trimmed)?.[request.method ?? ''] ?? (trimmed !== '/config' && configRoute(trimmed, request));
    if (!known) return this.#fail(request, response, new HttpError(404, 'NOT_FOUND'));
    const location = rawQuery === '' ? trimmed : `${trimmed}?${rawQuery}`;
    response.writeHead(request.method === 'GET' ? 301 : 308, { Location: location, 'Content-Length': 0 });
    response.end();
  }

  #otherMethod(request: IncomingMessage, response: ServerResponse, methods: string[]): void {
    request.resume();
    response.setHeader('Allow', [...methods, 'OPTIONS'].sort().join(', '));
    if (request.method === 'OPTIONS') {
      response.writeHead(200, { 'Content-Length': 0 });
      response.end();
      return;
    }
    this.#fail(request, response, new HttpError(405, 'METHOD_NOT_ALLOWED'));
  }
}

function configRoute(path: string, request: IncomingMessage): Route | undefined {
  return /^\/config\/[^/]+$/.test(path) ? ROUTES.get(CONFIG)?.[request.method ?? ''] : undefined;
}
