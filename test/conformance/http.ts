import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { expect } from 'vitest';
import type { HttpStep } from './recording.js';
import type { Target } from './runner.js';
import { comparable, pick } from './values.js';

function requestBody(http: HttpStep['http']): Buffer {
  return http.hex === undefined ? Buffer.from(http.body ?? '', 'latin1') : Buffer.from(http.hex, 'hex');
}

async function send(target: Target, http: HttpStep['http']): Promise<{ status: number; text: string }> {
  const body = requestBody(http);
  const req = request({
    host: target.host,
    port: target.httpPort,
    path: http.path,
    method: http.method,
    agent: false,
    headers: http.method === 'GET' ? {} : { 'content-length': body.length },
  });
  req.end(http.method === 'GET' ? undefined : body);
  const [response] = (await once(req, 'response')) as [IncomingMessage];
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  return { status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString() };
}

/** Makes the step's request and fails unless the answer is the expected one. */
export async function performHttp(target: Target, { http, expect: wanted }: HttpStep): Promise<void> {
  const { status, text } = await send(target, http);
  expect({ status, text }).toEqual({ status: wanted.status, text: wanted.text ?? text });
  if (wanted.json !== undefined) expect(comparable(JSON.parse(text))).toEqual(comparable(wanted.json));
  if (wanted.picked !== undefined) {
    const answer: unknown = JSON.parse(text);
    const picked = Object.keys(wanted.picked).map((path) => [path, pick(answer, path)]);
    expect(comparable(Object.fromEntries(picked))).toEqual(comparable(wanted.picked));
  }
}
