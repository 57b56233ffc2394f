import { type JsonAnswer, type JsonRequestTls, requestJson } from '../../net/json-request.js';
import type { HttpAddress } from './http-address.js';
import { NodeError, printable, unreachable } from './node-error.js';

export interface NodeClientOptions {
  /** Ms. */
  readonly connectTimeout: number;
  /** For the whole answer, connecting included; ms. */
  readonly requestTimeout: number;
  readonly tls?: JsonRequestTls;
}

type Query = Readonly<Record<string, string>>;

interface Question {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly query: Query;
  readonly signal: AbortSignal | undefined;
}

/** The statistics of some hundred thousand channels. */
const MAX_BYTES = 64 * 1024 * 1024;
/** What nsqd with --tls-required answers, naming its HTTPS port. */
const TLS_NEEDED = 403;

/** Asks nsqds and lookupds, of ours or the original's, over HTTP. */
export class NodeClient {
  readonly #options: NodeClientOptions;

  constructor(options: NodeClientOptions) {
    this.#options = options;
  }

  /** What the answer's JSON says. Rejects with {@link NodeError}. */
  async get(address: HttpAddress, path: string, query: Query = {}, signal?: AbortSignal): Promise<unknown> {
    const { json } = await this.#ask(address, { method: 'GET', path, query, signal });
    if (json === undefined) throw new NodeError('E_ANSWER', address.text, 'answered with no JSON');
    // Before 1.0, the daemons put their answers into an envelope.
    return field(json, 'data') ?? json;
  }

  /** Has the daemon do something. Rejects with {@link NodeError}. */
  async post(address: HttpAddress, path: string, query: Query, signal?: AbortSignal): Promise<void> {
    await this.#ask(address, { method: 'POST', path, query, signal });
  }

  async #ask(address: HttpAddress, question: Question): Promise<JsonAnswer> {
    let answer = await this.#request(address, address.origin, question);
    const httpsPort = answer.status === TLS_NEEDED ? field(answer.json, 'https_port') : undefined;
    if (typeof httpsPort === 'number' && address.origin.startsWith('http:')) {
      const { hostname } = new URL(address.origin);
      answer = await this.#request(address, `https://${hostname}:${httpsPort}`, question);
    }
    if (answer.status === 200) return answer;
    const said = field(answer.json, 'message');
    const reply = typeof said === 'string' ? printable(said) : '';
    const words = reply === '' ? '' : `: ${reply}`;
    throw new NodeError('E_STATUS', address.text, `answered with status ${answer.status}${words}`, { reply });
  }

  async #request(
    { text, socketPath }: HttpAddress,
    origin: string,
    { method, path, query, signal }: Question,
  ): Promise<JsonAnswer> {
    const { connectTimeout, requestTimeout, tls } = this.#options;
    const parameters = new URLSearchParams(query).toString();
    try {
      return await requestJson({
        url: `${origin}${path}${parameters === '' ? '' : `?${parameters}`}`,
        method,
        connectTimeout,
        timeout: requestTimeout,
        maxBytes: MAX_BYTES,
        ...(socketPath === undefined ? {} : { socketPath }),
        ...(tls === undefined ? {} : { tls }),
        ...(signal === undefined ? {} : { signal }),
      });
    } catch (cause) {
      throw unreachable(text, cause);
    }
  }
}

function field(json: unknown, name: string): unknown {
  return typeof json === 'object' && json !== null ? (json as Record<string, unknown>)[name] : undefined;
}
