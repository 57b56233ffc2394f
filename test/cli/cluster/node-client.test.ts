import { once } from 'node:events';
import { createServer } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { generate } from 'selfsigned';
import { describe, expect, test } from 'vitest';
import { parseHttpAddress } from '../../../src/cli/cluster/http-address.js';
import { NodeClient } from '../../../src/cli/cluster/node-client.js';
import { cleanup, tempDir } from '../../support/temp.js';
import { fakeDaemon, NOWHERE, type Script } from './fake-daemon.js';

const client = new NodeClient({ connectTimeout: 1000, requestTimeout: 1000 });

async function get(script: Script, using = client): Promise<unknown> {
  const { address } = await fakeDaemon(script);
  return using.get(address, '/stats', { format: 'json', topic: 'a b' });
}

describe('NodeClient', () => {
  test('asks with a query, and gives what the JSON says', async () => {
    expect(await get(({ url }) => ({ url }))).toEqual({ url: '/stats?format=json&topic=a+b' });
  });

  test('opens the envelope of daemons before 1.0', async () => {
    expect(await get(() => ({ status_code: 200, data: { topics: [] } }))).toEqual({ topics: [] });
  });

  test('posts', async () => {
    const { address, requests } = await fakeDaemon((_, response) => void response.end());
    await client.post(address, '/topic/create', { topic: 't' });
    expect(requests).toEqual(['POST /topic/create?topic=t']);
  });

  test.each<[string, Script, object]>([
    ['no JSON', (_, response) => void response.end('<html>'), { code: 'E_ANSWER' }],
    [
      'a status, with the reason kept off the terminal',
      (_, response) => void response.writeHead(404).end('{"message":"TOPIC_NOT_FOUND\\u001b[2J"}'),
      { code: 'E_STATUS', message: 'answered with status 404: TOPIC_NOT_FOUND [2J' },
    ],
    ['a redirect', (_, response) => void response.writeHead(302).end(), { code: 'E_STATUS' }],
    [
      'no answer in time',
      (_, response) => void response.write('{'),
      { code: 'E_UNREACHABLE', message: 'no answer within 30 ms' },
    ],
    ['an answer that breaks off', (_, response) => void response.destroy(), { code: 'E_UNREACHABLE' }],
  ])('%s', async (name, script, error) => {
    const requestTimeout = name === 'no answer in time' ? 30 : 15_000;
    const asking = new NodeClient({ connectTimeout: 1000, requestTimeout });
    await expect(get(script, asking)).rejects.toMatchObject({ name: 'NodeError', ...error });
  });

  test('an answer without end is cut off', async () => {
    const chunk = Buffer.alloc(1024 * 1024, ' ');
    const flood: Script = (_, response) => {
      const more = (): void => {
        while (!response.destroyed && response.write(chunk));
        response.once('drain', more);
      };
      more();
    };
    const patient = new NodeClient({ connectTimeout: 1000, requestTimeout: 15_000 });
    await expect(get(flood, patient)).rejects.toThrow('the answer has more than 67108864 bytes');
  });

  test('nobody there, in plain words', async () => {
    await expect(client.get(NOWHERE, '/')).rejects.toMatchObject({
      code: 'E_UNREACHABLE',
      address: '127.0.0.1:1',
      message: 'connection refused: nothing listens there',
    });
  });

  test('a unix socket', async () => {
    const path = join(tempDir(), 'nsqd.sock');
    const server = createServer(({ url }, response) => response.end(JSON.stringify({ url })));
    server.listen(path);
    await once(server, 'listening');
    cleanup(() => server.close());
    expect(await client.get(parseHttpAddress('', path), '/info')).toEqual({ url: '/info' });
  });

  test('goes over to HTTPS where nsqd with --tls-required says so', async () => {
    const pems = await generate([{ name: 'commonName', value: '127.0.0.1' }], {
      keySize: 2048,
      extensions: [{ name: 'subjectAltName', altNames: [{ type: 7, ip: '127.0.0.1' }] }],
    });
    const server = createTlsServer({ key: pems.private, cert: pems.cert }, (_, response) => {
      response.end('{"topics":[]}');
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    cleanup(() => server.close());
    const { port } = server.address() as AddressInfo;
    const script: Script = (_, response) => {
      response.writeHead(403).end(JSON.stringify({ message: 'TLS_REQUIRED', https_port: port }));
    };
    const tls = { connectTimeout: 1000, requestTimeout: 5000 };
    await expect(get(script, new NodeClient(tls))).rejects.toMatchObject({ code: 'E_TLS' });
    const trusting = new NodeClient({ ...tls, tls: { ca: pems.cert } });
    expect(await get(script, trusting)).toEqual({ topics: [] });
    const careless = new NodeClient({ ...tls, tls: { rejectUnauthorized: false } });
    expect(await careless.get(parseHttpAddress('', `https://127.0.0.1:${port}`), '/')).toEqual({
      topics: [],
    });
  });
});
