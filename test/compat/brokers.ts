import { request } from 'node:http';
import { type Broker, type BrokerOptions, startBroker } from '../../src/broker/index.js';
import { cleanup } from '../support/temp.js';

export async function open(options: BrokerOptions = {}): Promise<Broker> {
  const broker = await startBroker(options);
  cleanup(() => broker.close());
  return broker;
}

export interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

/** One HTTP request. The path goes out as it is, which `fetch` would not do. */
export function http(
  { httpAddress }: Broker,
  method: string,
  path: string,
  { body = '', headers = {} }: { body?: string; headers?: Record<string, string> } = {},
): Promise<Reply> {
  const [host, port] = httpAddress.split(':');
  return new Promise((resolve, reject) => {
    const call = request({ host, port, method, path, headers }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text }),
      );
    });
    call.on('error', reject);
    call.end(body);
  });
}

/** The statistics of one topic, as JSON text: the order of the fields is part of it. */
export async function statsOf(broker: Broker, topic: string): Promise<string> {
  const path = `/stats?format=json&include_mem=false&topic=${encodeURIComponent(topic)}`;
  return (await http(broker, 'GET', path)).body;
}
