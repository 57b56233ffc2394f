import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import { type AddressInfo, Socket } from 'node:net';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { type JsonRequest, requestJson } from '../../src/net/json-request.js';
import { cleanup } from '../support/temp.js';

const OPTIONS = { connectTimeout: 1000, timeout: 1000, maxBytes: 100 };

/** Asks a server that answers so. */
async function ask(
  listener: RequestListener,
  options: Partial<JsonRequest> = {},
): ReturnType<typeof requestJson> {
  const server = createServer(listener);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  cleanup(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return requestJson({ url: `http://127.0.0.1:${port}/a?b=c`, ...OPTIONS, ...options });
}

describe('requestJson', () => {
  it('gives the status and what the body says, and asks as the clients of nsqlookupd do', async () => {
    const answer = await ask(({ url, headers: { accept } }, response) =>
      response.writeHead(404).end(JSON.stringify({ url, accept })),
    );
    expect(answer).toEqual({
      status: 404,
      json: { url: '/a?b=c', accept: 'application/vnd.nsq; version=1.0' },
    });
  });

  it.each([
    [301, 'GET', undefined],
    [302, 'GET', undefined],
    [303, 'GET', undefined],
    [307, 'POST', '{"secret":["s"]}'],
    [308, 'POST', '{"secret":["s"]}'],
  ])('follows a redirect with status %i by %s', async (status, method, body) => {
    const answer = await ask(
      async (request, response) => {
        if (request.url !== '/there?d=e') response.writeHead(status, { Location: '/there?d=e' }).end();
        else {
          const sent = Buffer.concat(await request.toArray()).toString();
          const { authorization } = request.headers;
          response.end(JSON.stringify({ method: request.method, body: sent || undefined, authorization }));
        }
      },
      { method: 'POST', json: { secret: ['s'] }, authorization: 'Basic eA==' },
    );
    expect(answer).toEqual({ status: 200, json: { method, body, authorization: 'Basic eA==' } });
  });

  it('keeps credentials from another host that it is sent to', async () => {
    let said: string | undefined;
    const other = createServer(({ headers }, response) => {
      said = headers.authorization ?? 'nothing';
      response.end('{}');
    });
    other.listen(0, '127.0.0.1');
    await once(other, 'listening');
    cleanup(() => other.close());
    const { port } = other.address() as AddressInfo;
    const location = `http://127.0.0.1:${port}/`;
    await ask((_, response) => response.writeHead(302, { Location: location }).end(), {
      authorization: 'Basic eA==',
    });
    expect(said).toBe('nothing');
  });

  it('gives up a ring of redirects, and answers with one that leads nowhere', async () => {
    let count = 0;
    const ring = ask(({ url }, response) => {
      count++;
      response.writeHead(302, { Location: url }).end();
    });
    await expect(ring).rejects.toThrow('stopped after 10 redirects');
    expect(count).toBe(10);
    const nowhere = await ask((_, response) =>
      response.writeHead(302, { Location: 'file:///etc/x' }).end('{}'),
    );
    expect(nowhere).toEqual({ status: 302, json: {} });
  });

  it('waits no longer for redirects together', async () => {
    const slow = ask(
      ({ url }, response) => void setTimeout(() => response.writeHead(302, { Location: url }).end(), 30),
      { timeout: 100 },
    );
    await expect(slow).rejects.toThrow('no answer within 100 ms');
  });

  it('a body that is no JSON is undefined', async () => {
    expect(await ask((_, response) => response.end('<html>'))).toEqual({ status: 200, json: undefined });
  });

  it('waits no longer than it is told, for the head and for the body', async () => {
    const silent = ask(() => undefined, { timeout: 20 });
    await expect(silent).rejects.toThrow('no answer within 20 ms');
    const stalling = ask((_, response) => response.write('{'), { timeout: 20 });
    await expect(stalling).rejects.toThrow('no answer within 20 ms');
  });

  it('takes no more than it is told, whatever the head says', async () => {
    const long = ask((_, response) => response.end(Buffer.alloc(101, ' ')));
    await expect(long).rejects.toThrow('the answer has more than 100 bytes');
  });

  it('fails when the answer breaks off', async () => {
    const broken = ask((_, response) => {
      response.writeHead(200, { 'Content-Length': 50 });
      response.write('{', () => response.destroy());
    });
    await expect(broken).rejects.toThrow('the answer breaks off');
  });

  it('ends when its signal is aborted, before it begins too', async () => {
    const abort = new AbortController();
    const waiting = ask(() => abort.abort(), { signal: abort.signal });
    await expect(waiting).rejects.toThrow('aborted');
    await expect(ask(() => undefined, { signal: abort.signal })).rejects.toThrow('aborted');
  });

  it('has its connection probed: a machine that was started anew does not know it', async () => {
    const keepAlive = vi.spyOn(Socket.prototype, 'setKeepAlive');
    onTestFinished(() => keepAlive.mockRestore());
    await ask((_, response) => response.end('{}'));
    expect(keepAlive).toHaveBeenCalledWith(true, 2000);
  });

  it('refuses a port that is none', async () => {
    await expect(requestJson({ url: 'http://a:99999', ...OPTIONS })).rejects.toThrow('Invalid URL');
  });
});
