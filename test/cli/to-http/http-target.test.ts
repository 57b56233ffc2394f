import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { Agent } from 'undici';
import { describe, expect, onTestFinished, test } from 'vitest';
import { HttpTarget, type HttpTargetOptions } from '../../../src/cli/to-http/http-target.js';
import { getUrl, postUrl } from '../../../src/cli/to-http/target-url.js';
import { failure } from '../../client/support/clients.js';
import { deadAddress } from '../../client/support/fake-nsqd.js';

interface Seen {
  readonly method: string | undefined;
  readonly url: string | undefined;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: string;
}

type Answer = (response: http.ServerResponse, seen: Seen) => void;

/** A server that notes what comes and answers as told. */
async function fakeServer(answer: Answer, host = '127.0.0.1') {
  const seen: Seen[] = [];
  const sockets: Socket[] = [];
  const server = http.createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk) => chunks.push(chunk));
    request.on('end', () => {
      const { method, url, headers } = request;
      const one = { method, url, headers, body: Buffer.concat(chunks).toString() };
      seen.push(one);
      answer(response, one);
    });
  });
  server.on('connection', (socket) => sockets.push(socket));
  server.listen(0, host);
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { seen, sockets, url: `http://${host}:${(server.address() as AddressInfo).port}` };
}

function targetAt(url: string, options: Partial<HttpTargetOptions> = {}): HttpTarget {
  const agent = new Agent({ connections: 1, connect: { timeout: 500 }, headersTimeout: 0, bodyTimeout: 0 });
  onTestFinished(() => agent.destroy());
  const { method = 'POST' } = options;
  return new HttpTarget(method === 'POST' ? postUrl(url) : getUrl(url), agent, {
    method,
    headers: {},
    requestTimeout: 5000,
    ...options,
  });
}

const body = Buffer.from('the message');
const status =
  (code: number, headers: http.OutgoingHttpHeaders = {}): Answer =>
  (response) => {
    response.writeHead(code, headers);
    response.end();
  };

describe('which status says that the message has arrived', () => {
  test.each([
    ['POST', 200, true],
    ['POST', 204, true],
    ['POST', 299, true],
    ['POST', 300, false],
    ['POST', 304, false],
    ['POST', 404, false],
    ['POST', 503, false],
    ['GET', 200, true],
    ['GET', 201, false],
    ['GET', 204, false],
    ['GET', 500, false],
  ] as const)('%s %d: %s', async (method, code, arrived) => {
    const server = await fakeServer(status(code));
    const sent = targetAt(`${server.url}/x${method === 'GET' ? '?%s' : ''}`, { method }).send(body);
    if (arrived) await sent;
    else expect(await failure(sent)).toMatchObject({ code: 'E_REFUSED', message: `got status code ${code}` });
    expect(server.seen).toHaveLength(1);
  });
});

test('a POST has the message as its body, and the headers', async () => {
  const server = await fakeServer(status(200));
  const url = server.url.replace('//', '//user:secret@');
  await targetAt(`${url}/in?a=b`, { headers: { 'content-type': 'text/x', 'x-a': '1' } }).send(body);
  expect(server.seen).toMatchObject([
    {
      method: 'POST',
      url: '/in?a=b',
      body: 'the message',
      headers: {
        'content-type': 'text/x',
        'content-length': '11',
        'x-a': '1',
        authorization: `Basic ${Buffer.from('user:secret').toString('base64')}`,
      },
    },
  ]);
});

test('a GET has it in its URL, and no body', async () => {
  const server = await fakeServer(status(200));
  await targetAt(`${server.url}/in?m=%s`, { method: 'GET' }).send(body);
  expect(server.seen).toMatchObject([{ method: 'GET', url: '/in?m=the+message', body: '' }]);
  expect(server.seen[0]?.headers).not.toHaveProperty('content-length');
});

test('a connection is used again', async () => {
  const server = await fakeServer((response) => response.end('x'.repeat(10_000)));
  const target = targetAt(server.url);
  for (let n = 0; n < 5; n++) await target.send(body);
  expect([server.seen.length, server.sockets.length]).toEqual([5, 1]);
});

describe('redirects', () => {
  /** Sends to the URL named in the query first. */
  const once302 =
    (code: number): Answer =>
    (response, { url }) => {
      const to = new URL(url ?? '', 'http://x').searchParams.get('to');
      if (to) response.writeHead(code, { location: to });
      response.end();
    };

  test.each([
    [301, 'GET', ''],
    [302, 'GET', ''],
    [303, 'GET', ''],
    [307, 'POST', 'the message'],
    [308, 'POST', 'the message'],
  ] as const)('%d: the second request is a %s', async (code, method, second) => {
    const server = await fakeServer(once302(code));
    await targetAt(`${server.url}/a?to=/b`).send(body);
    expect(server.seen.map((one) => [one.method, one.url, one.body])).toEqual([
      ['POST', '/a?to=/b', 'the message'],
      [method, '/b', second],
    ]);
  });

  test('credentials stay with the host they are for', async () => {
    const other = await fakeServer(status(200));
    const server = await fakeServer(status(307, { location: `${other.url}/c` }));
    await targetAt(server.url, { headers: { authorization: 'secret', cookie: 'c', 'x-a': '1' } }).send(body);
    expect(server.seen[0]?.headers).toMatchObject({ authorization: 'secret', cookie: 'c', 'x-a': '1' });
    expect(other.seen[0]?.headers).toMatchObject({ 'x-a': '1' });
    expect(other.seen[0]?.headers).not.toHaveProperty('authorization');
    expect(other.seen[0]?.headers).not.toHaveProperty('cookie');
  });

  test('ten requests at most', async () => {
    const server = await fakeServer(status(302, { location: '/again' }));
    const error = await failure(targetAt(server.url).send(body));
    expect(error).toMatchObject({ code: 'E_REFUSED', message: 'stopped after 10 redirects' });
    expect(server.seen).toHaveLength(10);
  });

  test.each([{}, { location: '' }, { location: 'ftp://h/' }, { location: 'http://a b/' }])(
    'to nowhere, %j: the status counts',
    async (headers) => {
      const server = await fakeServer(status(302, headers));
      expect(await failure(targetAt(server.url).send(body))).toMatchObject({
        message: 'got status code 302',
      });
    },
  );
});

describe('no outcome', () => {
  test('refused: another target may get the message', async () => {
    const error = await failure(targetAt(`http://${await deadAddress()}/`).send(body));
    expect(error).toMatchObject({
      code: 'E_UNREACHABLE',
      isUnsent: true,
      message: 'connection refused: nothing listens there',
    });
  });

  test('reset: it may have arrived', async () => {
    const server = await fakeServer((response) => response.socket?.destroy());
    expect(await failure(targetAt(server.url).send(body))).toMatchObject({ code: 'E_LOST', isUnsent: false });
  });

  test('slow: it may have arrived; the connection is given up', async () => {
    const server = await fakeServer(() => undefined);
    const target = targetAt(server.url, { requestTimeout: 40 });
    expect(await failure(target.send(body))).toMatchObject({
      code: 'E_TIMEOUT',
      isUnsent: false,
      message: 'no response within 40 ms',
    });
    if (server.sockets[0]?.closed === false) await once(server.sockets[0], 'close');
  });

  test('no HTTP: it may have arrived', async () => {
    const server = await fakeServer((response) => response.socket?.end('SSH-2.0-x\r\n'));
    expect(await failure(targetAt(server.url).send(body))).toMatchObject({ code: 'E_LOST' });
  });
});

describe('the status counts, whatever becomes of the body', () => {
  test.each<[string, Answer]>([
    [
      'cut off',
      (response) => {
        response.writeHead(200, { 'content-length': 10 });
        response.write('x', () => response.socket?.destroy());
      },
    ],
    [
      'without end',
      (response) => {
        response.writeHead(200);
        response.write('x');
      },
    ],
    [
      'of 64 MiB',
      (response) => {
        const more = (): void => {
          while (!response.destroyed && response.write(Buffer.alloc(65_536)));
        };
        response.on('drain', more);
        more();
      },
    ],
  ])('%s', async (_, answer) => {
    const server = await fakeServer(answer);
    await targetAt(server.url, { requestTimeout: 300 }).send(body);
    expect(server.seen).toHaveLength(1);
  });
});
