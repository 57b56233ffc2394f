import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { parseAddress } from '../../src/client/address.js';
import { dial } from '../../src/client/dial.js';
import { ReadBuffer } from '../../src/client/read-buffer.js';
import { until } from './support/clients.js';

/** Both ends of a connection; `near` is read into `buffer`. */
async function ends() {
  const server = createServer().listen(0, '127.0.0.1');
  const connected = once(server, 'connection');
  await once(server, 'listening');
  const address = parseAddress(`127.0.0.1:${(server.address() as AddressInfo).port}`);
  const buffer = new ReadBuffer();
  const near = await dial(address, 1000, new AbortController().signal, {}, buffer.onread);
  const [far] = (await connected) as [Socket];
  onTestFinished(() => {
    near.destroy();
    far.destroy();
    server.close();
  });
  return { near, far, buffer };
}

it('gives the readers of the socket bytes that stay as they are', async () => {
  const { near, far } = await ends();
  const chunks: Buffer[] = [];
  near.on('data', (chunk: Buffer) => chunks.push(chunk));
  for (const text of ['one', 'two']) {
    far.write(text);
    await once(near, 'data');
  }
  expect(chunks.map(String)).toEqual(['one', 'two']);
});

it('hands a receiver everything in place and in order, what was not taken yet first', async () => {
  const { near, far, buffer } = await ends();
  near.pause();
  near.unshift(Buffer.from('before '));
  let text = '';
  const stores = new Set<ArrayBufferLike>();
  const receive = (chunk: Buffer): void => {
    text += chunk;
    stores.add(chunk.buffer);
  };
  near.on('data', receive);
  buffer.handTo(receive);
  near.resume();
  await until(() => text === 'before ');
  stores.clear();
  const large = 'x'.repeat(100_000);
  far.write('first ');
  far.end(large);
  await once(near, 'end');
  expect(text).toBe(`before first ${large}`);
  expect(stores.size).toBe(1);
});
