import {
  createServer as createHttpServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerOptions,
  type ServerResponse,
} from 'node:http';
import { messageOf } from '../daemon/errors.js';
import { remoteAddressOf } from '../daemon/remote-address.js';
import { goJson } from '../protocol/go-json.js';
import { HttpError } from './query.js';
import { cleanPath, redirect, unescapePath } from './redirect.js';
import type { Answer, HttpCall, HttpContext, Route, Routes } from './route.js';

/** As Go writes it. */
const VERSION_HEADER = 'X-Nsq-Content-Type';
const VERSION = 'nsq; version=1.0';
const JSON_TYPE = 'application/json; charset=utf-8';
const TEXT_TYPE = 'text/plain; charset=utf-8';
const NO_LENGTH = { 'Content-Length': 0 };
const NO_BODY = Buffer.alloc(0);
/** As Go's server has them: a client's idle connection stays, and is probed for life; headers may have a megabyte. */
const SERVER_OPTIONS = {
  keepAliveTimeout: 0,
  keepAlive: true,
  keepAliveInitialDelay: 15_000,
  maxHeaderSize: 1 << 20,
} as const;
/** What a client behind a proxy puts before the path. */
const ORIGIN = /^https?:\/\/[^/?#]*/i;

export interface HttpServerOptions<C, R> {
  readonly context: C;
  readonly routes: Routes<C, R>;
  /** Makes of a call what the routes' handlers take; may throw an HttpError. */
  readonly request: (call: HttpCall) => R;
  /** Makes the server, if not node:http does. */
  readonly createServer?: CreateServer;
}

export type CreateServer = (options: ServerOptions, listener: RequestListener) => Server;

interface Found<C, R> {
  readonly methods: Readonly<Record<string, Route<C, R>>>;
  readonly option: string;
}

/** The HTTP API of a daemon: finds the route, reads the body within its bounds, answers as the original daemons do. */
export class HttpServer<C extends HttpContext, R> {
  readonly server: Server;
  readonly #context: C;
  readonly #routes: Routes<C, R>;
  readonly #request: (call: HttpCall) => R;

  constructor({ context, routes, request, createServer = createHttpServer }: HttpServerOptions<C, R>) {
    this.#context = context;
    this.#routes = routes;
    this.#request = request;
    this.server = createServer(SERVER_OPTIONS, (incoming, response) => this.#onRequest(incoming, response));
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
    const url = (request.url ?? '/').replace(ORIGIN, '');
    const mark = url.indexOf('?');
    const path = unescapePath(mark === -1 ? url : url.slice(0, mark));
    const rawQuery = mark === -1 ? '' : url.slice(mark + 1);
    if (path === undefined) return this.#fail(request, response, new HttpError(400, 'INVALID_REQUEST'));
    if (url === '*' && request.method === 'OPTIONS') return void response.writeHead(200, NO_LENGTH).end();
    const found = this.#find(path);
    if (!found) return this.#notFound(request, response, path, rawQuery);
    const route = found.methods[request.method ?? ''];
    if (!route) return this.#otherMethod(request, response, Object.keys(found.methods));
    const { option } = found;
    this.#readBody(request, response, route, (body) => {
      const onClosed = (listener: () => void): void => void response.once('close', listener);
      this.#run(request, response, route, () =>
        route.handle(this.#request({ rawQuery, option, body, onClosed })),
      );
    });
  }

  #find(path: string): Found<C, R> | undefined {
    const slash = path.lastIndexOf('/');
    if (slash === path.length - 1) return undefined;
    const exact = this.#routes.get(path);
    if (exact) return { methods: exact, option: '' };
    const methods = this.#routes.get(path.slice(0, slash + 1));
    return methods && { methods, option: path.slice(slash + 1) };
  }

  #run(
    request: IncomingMessage,
    response: ServerResponse,
    route: Route<C, R>,
    handle: () => Answer | Promise<Answer>,
  ): void {
    try {
      const answer = handle();
      if (!(answer instanceof Promise)) return this.#answer(request, response, route, answer);
      answer.then(
        (it) => this.#answer(request, response, route, it),
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
    route: Route<C, R>,
    done: (body: Buffer) => void,
  ): void {
    const limit = route.limit(this.#context);
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
    request.on('error', (error) => this.#context.logger.debug(`HTTP: ${error.message}`));
  }

  #answer(request: IncomingMessage, response: ServerResponse, route: Route<C, R>, answer: Answer): void {
    if (answer === undefined) this.#send(request, response, 200, '', undefined, route);
    else if (typeof answer === 'string') this.#send(request, response, 200, answer, TEXT_TYPE, route);
    else {
      const body = 'encoded' in answer ? answer.encoded : goJson(answer.json);
      this.#send(request, response, 200, body, JSON_TYPE, route);
    }
  }

  #fail(request: IncomingMessage, response: ServerResponse, error: unknown, route?: Route<C, R>): void {
    const known = error instanceof HttpError ? error : new HttpError(500, 'INTERNAL_ERROR', { cause: error });
    if (known.cause !== undefined)
      this.#context.logger.error(`HTTP: ${request.url} - ${messageOf(known.cause)}`);
    if (route?.plain) this.#send(request, response, known.status, known.code, TEXT_TYPE, route);
    else {
      const body = goJson({ message: known.code, ...known.fields });
      this.#send(request, response, known.status, body, JSON_TYPE, route);
    }
  }

  #send(
    request: IncomingMessage,
    response: ServerResponse,
    status: number,
    body: string | Buffer,
    type: string | undefined,
    route: Route<C, R> | undefined,
  ): void {
    if (response.writableEnded || response.destroyed) return;
    const headers: Record<string, string | number> = { 'Content-Length': Buffer.byteLength(body) };
    if (!route?.plain) headers[VERSION_HEADER] = VERSION;
    if (type) headers['Content-Type'] = type;
    response.writeHead(status, headers);
    response.end(request.method === 'HEAD' ? '' : body);
    if (!route?.quiet) {
      const peer = remoteAddressOf(request.socket);
      this.#context.logger.info(`${status} ${request.method} ${request.url} (${peer})`);
    }
  }

  /** What Go's router answers where no route is: a redirect if only slashes, dots or the case are off, else 404. */
  #notFound(request: IncomingMessage, response: ServerResponse, path: string, rawQuery: string): void {
    request.resume();
    const clean = cleanPath(path).toLowerCase();
    if (!this.#find(clean)?.methods[request.method ?? ''])
      return this.#fail(request, response, new HttpError(404, 'NOT_FOUND'));
    redirect(request, response, rawQuery === '' ? clean : `${clean}?${rawQuery}`);
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
