import type { IncomingMessage, request } from 'node:http';
import type { SecureContextOptions } from 'node:tls';

const HEADERS = { Accept: 'application/vnd.nsq; version=1.0' };

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
  /** Longest wait for the whole answer, connecting included, ms. */
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

/**
 * Asks over a connection of its own, so that a host name is resolved anew each time. Rejects with an `Error` when there
 * is no answer in time, or one that is too long.
 */
export async function requestJson(options: JsonRequest): Promise<JsonAnswer> {
  // TLS is loaded by those who ask for it.
  const isTls = options.url.startsWith('https:');
  const { request: requestWith } = isTls ? await import('node:https') : await import('node:http');
  return answerTo(options, requestWith);
}

function answerTo(options: JsonRequest, requestWith: typeof request): Promise<JsonAnswer> {
  const { connectTimeout, timeout, signal, method = 'GET', socketPath, tls, json } = options;
  const body = json === undefined ? undefined : Buffer.from(JSON.stringify(json));
  return new Promise((resolve, reject) => {
    let reason: Error | undefined;
    const where = { agent: false as const, method, ...(socketPath === undefined ? {} : { socketPath }) };
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
    const answering = setTimeout(() => giveUp(`no answer within ${timeout} ms`), timeout);
    const fail = (error: Error): void => reject(reason ?? describe(error));
    signal?.addEventListener('abort', onAbort, { once: true });
    call.on('socket', (socket) => socket.once('connect', () => clearTimeout(connecting)));
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

async function collect(response: IncomingMessage, maxBytes: number): Promise<JsonAnswer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > maxBytes) throw new Error(`the answer has more than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return { status: response.statusCode ?? 0, json: parse(Buffer.concat(chunks).toString('utf8')) };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** An AggregateError, one error per address tried, has no words of its own. */
function describe(error: Error): Error {
  if (!(error instanceof AggregateError)) return error;
  return new Error(error.errors.map((one: Error) => one.message).join('; '), { cause: error });
}
