import type { Agent, Dispatcher } from 'undici';
import { chain, codeOf } from '../errors.js';
import { REASONS } from '../explanation.js';
import type { Target } from '../relay/delivery.js';
import { DeliveryError } from '../relay/delivery-error.js';
import type { Headers } from './headers.js';
import type { TargetUrl } from './target-url.js';

/** Requests for one message at most, redirects included, as Go's client has it. */
const MAX_REQUESTS = 10;
/** Of a response's body so much is read, so that the connection can be used again; a longer one is cut off. */
const MAX_BODY_BYTES = 1024 * 1024;
const FOLLOWED: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
const SAME_METHOD: ReadonlySet<number> = new Set([307, 308]);
/** Errors before anything was sent. */
const UNREACHABLE: ReadonlySet<string> = new Set([
  'EADDRNOTAVAIL',
  'EAI_AGAIN',
  'ECONNREFUSED',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'UND_ERR_CONNECT_TIMEOUT',
]);
/** They are for the host that was named, and for no other. */
const PRIVATE: ReadonlySet<string> = new Set(['authorization', 'cookie', 'host', 'www-authenticate']);

export interface HttpTargetOptions {
  readonly method: 'GET' | 'POST';
  readonly headers: Headers;
  /** Longest wait for the end of a response, ms. */
  readonly requestTimeout: number;
}

interface Response {
  readonly status: number;
  readonly location: string | undefined;
}

interface Request {
  readonly method: 'GET' | 'POST';
  readonly origin: string;
  readonly path: string;
  readonly headers: Headers;
  readonly body: Buffer | null;
}

/** One URL. A POST has arrived with any status 2xx, a GET with 200. */
export class HttpTarget implements Target<Buffer> {
  readonly name: string;
  readonly #url: TargetUrl;
  readonly #agent: Agent;
  readonly #options: HttpTargetOptions;
  readonly #headers: Headers;

  constructor(url: TargetUrl, agent: Agent, options: HttpTargetOptions) {
    this.name = url.name;
    this.#url = url;
    this.#agent = agent;
    this.#options = options;
    const { authorization } = url;
    this.#headers = { ...(authorization === undefined ? {} : { authorization }), ...options.headers };
  }

  async send(body: Buffer): Promise<void> {
    const { method, requestTimeout } = this.#options;
    const deadline = performance.now() + requestTimeout;
    let request: Request = {
      method,
      origin: this.#url.origin,
      path: this.#url.path(body),
      headers: this.#headers,
      body: method === 'POST' ? body : null,
    };
    for (let count = 1; ; count++) {
      const { status, location } = await this.#request(request, deadline);
      const next = FOLLOWED.has(status) ? redirected(request, status, location) : undefined;
      if (next === undefined) {
        if (method === 'GET' ? status === 200 : status >= 200 && status < 300) return;
        throw new DeliveryError('E_REFUSED', `got status code ${status}`);
      }
      if (count === MAX_REQUESTS)
        throw new DeliveryError('E_REFUSED', `stopped after ${MAX_REQUESTS} redirects`);
      request = next;
    }
  }

  #request(request: Request, deadline: number): Promise<Response> {
    return new Promise((resolve, reject) => {
      const exchange = new Exchange(resolve, reject, this.#options.requestTimeout, deadline);
      this.#agent.dispatch(request, exchange);
    });
  }
}

/** Where a redirect leads to; undefined when it leads nowhere that is known here. */
function redirected(request: Request, status: number, location: string | undefined): Request | undefined {
  if (location === undefined || location === '') return undefined;
  const base = request.origin + request.path;
  if (!URL.canParse(location, base)) return undefined;
  const url = new URL(location, base);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') return undefined;
  const isKept = SAME_METHOD.has(status);
  const headers =
    url.origin === request.origin
      ? request.headers
      : Object.fromEntries(Object.entries(request.headers).filter(([name]) => !PRIVATE.has(name)));
  return {
    method: isKept ? request.method : 'GET',
    origin: url.origin,
    path: url.pathname + url.search,
    headers,
    body: isKept ? request.body : null,
  };
}

/** One request and its response, in undici's hands. Settles once, by its deadline at the latest. */
class Exchange implements Dispatcher.DispatchHandler {
  readonly #resolve: (response: Response) => void;
  readonly #reject: (error: DeliveryError) => void;
  readonly #timer: NodeJS.Timeout;
  #controller: Dispatcher.DispatchController | undefined;
  #response: Response | undefined;
  #bodyBytes = 0;
  #isSettled = false;

  constructor(
    resolve: (response: Response) => void,
    reject: (error: DeliveryError) => void,
    timeout: number,
    deadline: number,
  ) {
    this.#resolve = resolve;
    this.#reject = reject;
    const end = (): void => this.#end(new DeliveryError('E_TIMEOUT', `no response within ${timeout} ms`));
    this.#timer = setTimeout(end, Math.max(1, deadline - performance.now()));
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#isSettled) this.#abort();
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: Record<string, string | string[] | undefined>,
  ): void {
    if (status < 200) return;
    const location = headers.location;
    this.#response = { status, location: Array.isArray(location) ? location[0] : location };
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#bodyBytes += chunk.length;
    if (this.#bodyBytes > MAX_BODY_BYTES) this.#end(undefined);
  }

  onResponseEnd(): void {
    this.#settle(undefined);
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.#settle(deliveryError(error));
  }

  /** Ends it from this side. */
  #end(error: DeliveryError | undefined): void {
    this.#settle(error);
    this.#abort();
  }

  #abort(): void {
    this.#controller?.abort(new Error('the response is not waited for any more'));
  }

  /** The status counts, once it is there, whatever becomes of the body. */
  #settle(error: DeliveryError | undefined): void {
    if (this.#isSettled) return;
    this.#isSettled = true;
    clearTimeout(this.#timer);
    if (this.#response !== undefined) this.#resolve(this.#response);
    else this.#reject(error ?? new DeliveryError('E_LOST', 'the connection ended without a response'));
  }
}

function deliveryError(cause: Error): DeliveryError {
  const known = [...chain(cause)].find((part) => codeOf(part) in REASONS);
  const reason = known ? REASONS[codeOf(known)] : undefined;
  const code = [...chain(cause)].some((part) => UNREACHABLE.has(codeOf(part))) ? 'E_UNREACHABLE' : 'E_LOST';
  return new DeliveryError(code, reason ?? (cause.message || codeOf(cause) || cause.name), { cause });
}
