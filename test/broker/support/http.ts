import { once } from 'node:events';
import {
  type Agent,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  request,
} from 'node:http';

export interface HttpAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

export interface HttpCallOptions {
  readonly body?: Buffer | string;
  readonly headers?: OutgoingHttpHeaders;
  /** Keeps the connection; by default each call has one of its own. */
  readonly agent?: Agent;
}

/** One call of the HTTP API: `http(broker, 'POST /pub?topic=t', { body: 'hello' })`. */
export async function http(
  { httpAddress }: { readonly httpAddress: string },
  line: string,
  { body, headers = {}, agent }: HttpCallOptions = {},
): Promise<HttpAnswer> {
  const [method = '', path = ''] = line.split(' ');
  const { hostname, port } = new URL(`http://${httpAddress}`);
  const length =
    method === 'GET' || 'Transfer-Encoding' in headers
      ? {}
      : { 'Content-Length': Buffer.byteLength(body ?? '') };
  const call = request({
    hostname,
    port,
    method,
    path,
    agent: agent ?? false,
    headers: { ...length, ...headers },
  });
  call.end(body);
  const [response] = (await once(call, 'response')) as [IncomingMessage];
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  return {
    status: response.statusCode ?? 0,
    headers: response.headers,
    text: Buffer.concat(chunks).toString(),
  };
}
