import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { type RequestOptions, request } from 'node:https';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Broker } from '../../../src/broker/broker.js';
import {
  type CertificateFiles,
  type Certificates,
  certificateFiles,
  certificates,
} from '../../support/certificates.js';
import { openBroker } from '../support/brokers.js';
import { http } from '../support/http.js';

let pems: Certificates;
let files: CertificateFiles;
beforeAll(async () => {
  pems = await certificates();
  files = await certificateFiles();
});

const open = (options: object = {}): Promise<Broker> =>
  openBroker({ tlsCert: files.cert, tlsKey: files.key, httpAddress: '127.0.0.1:0', ...options });

async function https(
  { httpsAddress }: Broker,
  line: string,
  options: RequestOptions = {},
  body = '',
): Promise<{ status: number; text: string }> {
  const [method, path] = line.split(' ');
  const { hostname, port } = new URL(`https://${httpsAddress}`);
  const call = request({ method, path, hostname, port, agent: false, ca: pems.ca, ...options });
  call.end(body);
  const [response] = (await once(call, 'response')) as [IncomingMessage];
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  return { status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString() };
}

describe('the HTTP API over TLS', () => {
  test('is the same', async () => {
    const broker = await open();
    expect(await https(broker, 'GET /ping')).toEqual({ status: 200, text: 'OK' });
    expect(await https(broker, 'POST /pub?topic=topic', {}, 'hello')).toEqual({ status: 200, text: 'OK' });
    expect(broker.topics.get('topic')?.messageCount).toBe(1);
    expect((await https(broker, 'GET /nowhere')).status).toBe(404);
    expect((await http(broker, 'GET /ping')).text).toBe('OK');
  });

  test('is not there without a certificate, or without an address', async () => {
    expect((await openBroker()).httpsAddress).toBe('');
    expect((await open({ httpsAddress: '' })).httpsAddress).toBe('');
  });

  test('takes what the policy wants', async () => {
    const some = await open({ tlsClientAuthPolicy: 'require' });
    expect((await https(some, 'GET /ping', { ...pems.stranger })).status).toBe(200);
    await expect(https(some, 'GET /ping')).rejects.toThrow();
    const signed = await open({ tlsClientAuthPolicy: 'require-verify', tlsRootCaFile: files.ca });
    expect((await https(signed, 'GET /ping', { ...pems.client })).status).toBe(200);
    await expect(https(signed, 'GET /ping', { ...pems.stranger })).rejects.toThrow();
    await expect(https(signed, 'GET /ping')).rejects.toThrow();
  });
});

describe('where TLS is required', () => {
  test.each(['GET /ping', 'GET /stats', 'POST /pub?topic=topic', 'GET /nowhere', 'PUT /config/log_level'])(
    'plain %s is sent over',
    async (line) => {
      const broker = await open({ tlsRequired: 'true' });
      const port = broker.httpsAddress.split(':')[1];
      const { status, text, headers } = await http(broker, line, { body: 'x' });
      expect([status, text]).toEqual([403, `{"message": "TLS_REQUIRED", "https_port": ${port}}`]);
      expect(headers).toMatchObject({
        'content-type': 'application/json; charset=utf-8',
        'x-nsq-content-type': 'nsq; version=1.0',
      });
      expect(broker.topics.size).toBe(0);
      expect((await https(broker, 'GET /ping')).text).toBe('OK');
    },
  );

  test('port 0 says that there is none to go to', async () => {
    const broker = await open({ tlsRequired: 'true', httpsAddress: '' });
    expect((await http(broker, 'GET /ping')).text).toBe('{"message": "TLS_REQUIRED", "https_port": 0}');
  });

  test('tcp-https leaves plain HTTP open', async () => {
    const broker = await open({ tlsRequired: 'tcp-https' });
    expect((await http(broker, 'GET /ping')).status).toBe(200);
  });
});

test('/config says what holds', async () => {
  const config = async (broker: Broker, key: string): Promise<string> =>
    (await http(broker, `GET /config/${key}`)).text;
  const broker = await open({ tlsRequired: 'tcp-https', tlsMinVersion: 'tls1.2', snappy: false });
  expect(await config(broker, 'tls_required')).toBe('1');
  expect(await config(broker, 'tls_min_version')).toBe('771');
  expect(await config(broker, 'tls_cert')).toBe(files.cert);
  expect(await config(broker, 'snappy')).toBe('false');
  expect(await config(broker, 'auth_http_addresses')).toBe('[]');
});
