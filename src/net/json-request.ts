import type { IncomingMessage, request } from 'node:http';
import type { SecureContextOptions } from 'node:tls';
import { connectReason } from './connect-reason.js';
import { lookUp } from './names.js';

const HEADERS = { Accept: 'application/vnd.nsq; version=1.0' };
/** Requests for one answer at most, as Go's client has it. */
const MAX_REQUESTS = 10;
/** Silence after which the system probes, ms: an answer may be a while in coming, and its sender's machine gone. */
const KEEP_ALIVE = 2000;
const FOLLOWED: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
const SAME_METHOD: ReadonlySet<number> = new Set([307, 308]);

/** How far an `https:` URL's server is trusted, and who asks. */
export interface JsonRequestTls extends Pick<SecureContextOptions, 'ca' | 'cert' | 'key'> {
  readonly rejectUnauthorized?: boolean;
}

export interface JsonRequest {
  /** `http://host:port/path?query`, or `https:` */
  readonly url: string;
  /** Default GET. */
  readonly method?: 'GET' | 'POST';
  /** What is sent as the body; nothing without it. */
  readonly json?: unknown;
  /** The unix socket to connect to, in place of the URL's host and port. */
  readonly socketPath?: string;
  readonly tls?: JsonRequestTls;
  /** What follows `Authorization:`. */
  readonly authorization?: string;
  /** Longest wait for the connection, ms. */
  readonly connectTimeout: number;
  /** Longest wait for the whole answer, connecting and redirects included, ms. */
  readonly timeout: number;
  /** Bytes of an answer at most. */
  readonly maxBytes: number;
  readonly signal?: AbortSignal;
}

export interface JsonAnswer {
  readonly status: number;
  /** What the body says; undefined when it is no JSON. */
  readonly json: unknown;
}

interface Response extends JsonAnswer {
  readonly location: string | undefined;
}

/**
 * Asks over a connection of its own, so that a host name is resolved anew each time, and follows redirects. Rejects with
 * an `Error` when there is no answer in time, or one that is too long.
 */
export async function requestJson(options: JsonRequest): Promise<JsonAnswer> {
  const deadline = performance.now() + options.timeout;
  let asked = options;
  for (let count = 1; ; count++) {
    // TLS is loaded by those who ask for it.
    const isTls = asked.url.startsWith('https:');
    const { request: requestWith } = isTls ? await import('node:https') : await import('node:http');
    const remaining = count === 1 ? options.timeout : Math.max(deadline - performance.now(), 0);
    const { status, json, location } = await answerTo(asked, requestWith, remaining);
    const next = FOLLOWED.has(status) ? redirected(asked, status, location) : undefined;
    if (!next) return { status, json };
    if (count === MAX_REQUESTS) throw new Error(`stopped after ${MAX_REQUESTS} redirects`);
    asked = next;
  }
}

/** Where a redirect leads to; undefined when it leads nowhere that is known here. */
function redirected(asked: JsonRequest, status: number, location = ''): JsonRequest | undefined {
  if (location === '' || !URL.canParse(location, asked.url)) return undefined;
  const from = new URL(asked.url);
  const to = new URL(location, from);
  if (to.protocol !== 'http:' && to.protocol !== 'https:') return undefined;
  const { json, socketPath, authorization, method = 'GET', ...common } = asked;
  return {
    ...common,
    url: to.href,
    method: SAME_METHOD.has(status) ? method : 'GET',
    ...(SAME_METHOD.has(status) && json !== undefined ? { json } : {}),
    ...(to.origin === from.origin && socketPath !== undefined ? { socketPath } : {}),
    ...(to.origin === from.origin && authorization !== undefined ? { authorization } : {}),
  };
}

function answerTo(options: JsonRequest, requestWith: typeof request, remaining: number): Promise<Response> {
  const { connectTimeout, timeout, signal, method = 'GET', socketPath, tls, json } = options;
  const body = json === undefined ? undefined : Buffer.from(JSON.stringify(json));
  return new Promise((resolve, reject) => {
    let reason: Error | undefined;
    const where = {
      agent: false as const,
      method,
      lookup: lookUp,
      ...(socketPath === undefined ? {} : { socketPath }),
    };
    const headers = {
      ...headersFor(body),
      ...(options.authorization && { Authorization: options.authorization }),
    };
    const call = requestWith(options.url, { ...where, ...tls, headers });
    const giveUp = (words: string): void => {
      reason ??= new Error(words);
      call.destroy(reason);
    };
    const onAbort = (): void => giveUp('aborted');
    const connecting = setTimeout(() => giveUp(`no connection within ${connectTimeout} ms`), connectTimeout);
    const answering = setTimeout(() => giveUp(`no answer within ${timeout} ms`), remaining);
    const fail = (error: Error): void => reject(reason ?? describe(error));
    signal?.addEventListener('abort', onAbort, { once: true });
    call.on('socket', (socket) => {
      socket.setKeepAlive(true, KEEP_ALIVE);
      socket.once('connect', () => clearTimeout(connecting));
    });
    call.on('response', (response) => collect(response, options.maxBytes).then(resolve, fail));
    call.on('error', fail);
    call.on('close', () => {
      clearTimeout(connecting);
      clearTimeout(answering);
      signal?.removeEventListener('abort', onAbort);
    });
    call.end(body);
    if (signal?.aborted) onAbort();
  });
}

function headersFor(body: Buffer | undefined): Record<string, string | number> {
  if (!body) return HEADERS;
  return { ...HEADERS, 'Content-Type': 'application/json', 'Content-Length': body.length };
}

async function collect(response: IncomingMessage, maxBytes: number): Promise<Response> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > maxBytes) throw new Error(`the answer has more than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  const { statusCode: status = 0, headers } = response;
  return { status, json: parse(Buffer.concat(chunks).toString('utf8')), location: headers.location };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Node's words for an answer that breaks off say little. */
function describe(error: Error): Error {
  if (error.message === 'aborted') return new Error('the answer breaks off', { cause: error });
  if (!(error instanceof AggregateError)) return error;
  return new Error(connectReason(error), { cause: error });
}
