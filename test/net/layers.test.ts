import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { constants, createDeflateRaw, deflateRawSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { DeflateLayer } from '../../src/net/deflate-layer.js';
import { isCodecError, type Layer } from '../../src/net/layer.js';
import { SnappyEncoder } from '../../src/net/snappy/encoder.js';
import { SnappyLayer } from '../../src/net/snappy-layer.js';
import { cleanup } from '../support/temp.js';

const KINDS: readonly [string, (below: Socket) => Layer][] = [
  ['snappy', (below) => new SnappyLayer(below)],
  ['deflate', (below) => new DeflateLayer(below, 6)],
];

/** Both ends of a connection. */
async function pair(): Promise<[Socket, Socket]> {
  const server = createServer({ allowHalfOpen: true }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const one = connect({
    port: (server.address() as { port: number }).port,
    host: '127.0.0.1',
    allowHalfOpen: true,
  });
  const [other] = (await once(server, 'connection')) as [Socket];
  server.close();
  cleanup(() => one.destroy());
  cleanup(() => other.destroy());
  return [one, other];
}

/** Not by iterating: that destroys a stream at its end, while it may still be writing. */
async function read(layer: Layer): Promise<Buffer> {
  const chunks: Buffer[] = [];
  layer.on('data', (chunk: Buffer) => chunks.push(chunk));
  await once(layer, 'end');
  return Buffer.concat(chunks);
}

/** What the layer ends with. */
async function failure(layer: Layer): Promise<Error | undefined> {
  let error: Error | undefined;
  layer.on('error', (it: Error) => {
    error = it;
  });
  layer.resume();
  await new Promise((resolve) => layer.once('close', resolve));
  return error;
}

describe.each(KINDS)('%s', (_, layerOn) => {
  test('what goes in comes out, in both directions', async () => {
    const [a, b] = (await pair()).map((socket) => layerOn(socket).readBelow()) as [Layer, Layer];
    const writes = [
      Buffer.from('x'),
      randomBytes(300_000),
      Buffer.alloc(1_000_000, 'ab'),
      Buffer.from('the end'),
    ];
    for (const layer of [a, b]) {
      for (const bytes of writes) layer.write(bytes);
      layer.end();
    }
    const expected = Buffer.concat(writes);
    for (const got of await Promise.all([read(a), read(b)])) expect(got.equals(expected)).toBe(true);
  });

  test('what is written together is encoded together', async () => {
    const [below, peer] = await pair();
    const layer = layerOn(below);
    const writes: number[] = [];
    const write = below.write.bind(below) as (...args: unknown[]) => boolean;
    below.write = ((...args: [Buffer]) => {
      writes.push(args[0].length);
      return write(...args);
    }) as typeof below.write;
    layer.cork();
    for (let i = 0; i < 100; i++) layer.write(Buffer.from('FIN 0123456789abcdef\n'));
    layer.uncork();
    const other = layerOn(peer).readBelow();
    let got = 0;
    for await (const chunk of other) {
      got += (chunk as Buffer).length;
      if (got === 2100) break;
    }
    expect(writes.length).toBeLessThan(4);
    expect(writes.reduce((sum, size) => sum + size, 0)).toBeLessThan(300);
  });

  test('every write can be read at once', async () => {
    const [a, b] = (await pair()).map((socket) => layerOn(socket).readBelow()) as [Layer, Layer];
    for (const word of ['one', 'two', 'three']) {
      a.write(word);
      const [chunk] = await once(b, 'data');
      expect(String(chunk)).toBe(word);
    }
  });

  test('who reads slowly slows the writer down', async () => {
    const [a, b] = (await pair()).map((socket) => layerOn(socket).readBelow()) as [Layer, Layer];
    b.pause();
    const block = randomBytes(256 * 1024);
    let sent = 0;
    while (sent < 256 && a.write(block)) {
      sent++;
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(sent).toBeLessThan(100);
    const drained = once(a, 'drain');
    b.resume();
    await drained;
    expect(b.readableLength).toBeLessThan(2 * block.length);
  });

  test('it ends with what is below, and that with it', async () => {
    const [below, peer] = await pair();
    const layer = layerOn(below).readBelow();
    const closed = once(layer, 'close');
    below.destroy();
    await closed;
    const other = layerOn(peer).readBelow();
    other.destroy();
    expect(peer.destroyed).toBe(true);
  });

  test('destroySoon writes what it has first', async () => {
    const [a, b] = (await pair()).map((socket) => layerOn(socket).readBelow()) as [Layer, Layer];
    a.write(Buffer.alloc(3_000_000, 'z'));
    a.destroySoon();
    expect(await read(b)).toHaveLength(3_000_000);
    expect(a.destroyed).toBe(true);
  });

  test('garbage ends it', async () => {
    const [below, peer] = await pair();
    peer.write(Buffer.from('\xff\xff\xff no such encoding', 'latin1'));
    const error = await failure(layerOn(below).readBelow());
    expect(isCodecError(error)).toBe(true);
    expect(below.destroyed).toBe(true);
  });
});

describe('snappy', () => {
  test('a stream that is cut off is an error', async () => {
    const [below, peer] = await pair();
    const [header, chunk] = new SnappyEncoder().encode(Buffer.from('hello, hello, hello'));
    peer.end(Buffer.concat([header!, chunk!.subarray(0, -2)]));
    expect(await failure(new SnappyLayer(below).readBelow())).toMatchObject({
      message: 'the stream is cut off',
    });
  });
});

describe('deflate', () => {
  test('a stream may end without saying so, as that of go-nsq', async () => {
    const [below, peer] = await pair();
    const deflate = createDeflateRaw({ flush: constants.Z_SYNC_FLUSH });
    deflate.pipe(peer, { end: false });
    deflate.write('no end', () => setImmediate(() => peer.end()));
    expect(String(await read(new DeflateLayer(below, 1).readBelow()))).toBe('no end');
  });

  test('what comes behind the end of the stream is left out', async () => {
    const [below, peer] = await pair();
    peer.end(Buffer.concat([deflateRawSync('the end'), Buffer.from('and more')]));
    expect(String(await read(new DeflateLayer(below, 1).readBelow()))).toBe('the end');
  });

  test('a bomb comes out bit by bit', async () => {
    const [below, peer] = await pair();
    peer.end(deflateRawSync(Buffer.alloc(16 << 20)));
    const layer = new DeflateLayer(below, 1).readBelow();
    let size = 0;
    let most = 0;
    for await (const chunk of layer) {
      size += (chunk as Buffer).length;
      most = Math.max(most, layer.readableLength);
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(size).toBe(16 << 20);
    expect(most).toBeLessThan(1 << 20);
  });
});
