import { existsSync, mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { startBroker } from '../../src/broker/index.js';
import type { BrokerOptions } from '../../src/broker/settings.js';
import { RawClient } from '../support/raw-client.js';
import { cleanup, tempDir } from '../support/temp.js';
import { sized } from '../support/wire.js';
import { consume, subscribe } from './support/clients.js';

async function start(options: BrokerOptions = {}) {
  const broker = await startBroker(options);
  cleanup(() => broker.close());
  return broker;
}

describe('startBroker', () => {
  it('listens on free ports of loopback and keeps its messages until it is closed', async () => {
    const broker = await start();
    expect(broker.tcpAddress).toMatch(/^127\.0\.0\.1:\d+$/);
    expect(broker.httpAddress).toMatch(/^127\.0\.0\.1:\d+$/);
    expect(broker.health).toBe('OK');
    await broker.publish('t', 'hello');
    const client = await subscribe(broker, 't', 'c', { ready: 1 });
    expect(await consume(client, 1)).toEqual(['hello']);
    expect(existsSync(broker.dataPath)).toBe(true);
    await broker.close();
    await client.ended();
    expect(existsSync(broker.dataPath)).toBe(false);
    await broker.close();
  });

  it('leaves no directory behind when it cannot start', async () => {
    const other = await start();
    const directory = tempDir();
    vi.stubEnv('TMPDIR', directory);
    cleanup(() => vi.unstubAllEnvs());
    const missing = join(directory, 'missing.pem');
    await expect(start({ tlsCert: missing, tlsKey: missing })).rejects.toMatchObject({ code: 'E_OPTION' });
    await expect(start({ tcpAddress: other.tcpAddress })).rejects.toMatchObject({ code: 'E_LISTEN' });
    expect(readdirSync(directory)).toEqual([]);
    expect((await start()).dataPath).toContain(directory);
  });

  it('leaves a data path of its own where it is, without its lock', async () => {
    const dataPath = tempDir();
    const broker = await start({ dataPath });
    await broker.publish('t', 'a');
    await broker.close();
    expect(readdirSync(join(dataPath, 'nsq-data'))).toEqual(['topics']);
    expect(statSync(join(dataPath, 'nsq-data', 'topics', 't.topic')).mode & 0o77).toBe(0);
  });

  it('listens on unix sockets', async () => {
    const directory = tempDir();
    const [tcpAddress, httpAddress] = [join(directory, 'tcp.sock'), join(directory, 'http.sock')];
    const broker = await start({ tcpAddress, httpAddress });
    expect([broker.tcpAddress, broker.httpAddress]).toEqual([tcpAddress, httpAddress]);
    const client = await RawClient.connect(tcpAddress);
    expect(await client.request('PUB t\n', sized('a'))).toBe('OK');
    await expect(start({ tcpAddress })).rejects.toMatchObject({ code: 'E_LISTEN' });
    expect(await client.request('PUB t\n', sized('b'))).toBe('OK');
    await broker.close();
    expect(existsSync(tcpAddress)).toBe(false);
  });

  it('takes the place of a unix socket that nobody listens on any more', async () => {
    const tcpAddress = join(tempDir(), 'tcp.sock');
    const dead = createServer().listen(tcpAddress);
    await new Promise((resolve) => dead.once('listening', resolve));
    const child = await import('node:child_process');
    // A socket file stays when its process is killed; a hard link stands for that here.
    child.execFileSync('ln', [tcpAddress, `${tcpAddress}.kept`]);
    await new Promise((resolve) => dead.close(resolve));
    child.execFileSync('mv', [`${tcpAddress}.kept`, tcpAddress]);
    const broker = await start({ tcpAddress });
    expect(broker.tcpAddress).toBe(tcpAddress);
  });

  it('needs no HTTP', async () => {
    expect((await start({ httpAddress: '' })).httpAddress).toBe('');
  });

  it.each(['tcpAddress', 'httpAddress'] as const)(
    'says so if the port of %s is taken, and leaves nothing',
    async (key) => {
      const other = await start();
      const dataPath = tempDir();
      const failure = start({ dataPath, [key]: other.tcpAddress });
      await expect(failure).rejects.toMatchObject({ code: 'E_LISTEN', cause: expect.any(Error) });
      await expect(failure).rejects.toThrow(`cannot listen on ${other.tcpAddress}`);
      expect(readdirSync(join(dataPath, 'nsq-data'))).toEqual(['topics']);
      await start({ dataPath });
    },
  );

  it.each([
    ['127.0.0.1:99999', 'E_OPTION'],
    ['127.0.0.1:', 'E_OPTION'],
    ['', 'E_OPTION'],
    ['192.0.2.1:0', 'E_LISTEN'],
    ['/does/not/exist/nsq.sock', 'E_LISTEN'],
  ])('refuses to listen on %j', async (tcpAddress, code) => {
    await expect(start({ tcpAddress })).rejects.toMatchObject({ name: 'BrokerError', code });
  });

  it('says so if there is no such data path', async () => {
    const dataPath = join(tempDir(), 'none');
    await expect(start({ dataPath })).rejects.toMatchObject({ code: 'E_DATA_PATH' });
    expect(existsSync(dataPath)).toBe(false);
  });

  it('says so if the data path is a file', async () => {
    const dataPath = join(tempDir(), 'file');
    writeFileSync(dataPath, '');
    await expect(start({ dataPath })).rejects.toMatchObject({ code: 'E_DATA_PATH' });
  });

  it('says so if it cannot make its directory there', async () => {
    const dataPath = tempDir();
    writeFileSync(join(dataPath, 'nsq-data'), '');
    await expect(start({ dataPath })).rejects.toMatchObject({ code: 'E_DATA_PATH' });
  });

  it('says who holds the data path, and does not disturb it', async () => {
    const dataPath = tempDir();
    const holder = await start({ dataPath });
    const failure = start({ dataPath });
    await expect(failure).rejects.toMatchObject({ code: 'E_LOCKED' });
    await expect(failure).rejects.toThrow(String(process.pid));
    await holder.publish('t', 'a');
    await holder.close();
    await start({ dataPath });
  });

  it('refuses what a later version wrote, and lets the data path go', async () => {
    const dataPath = tempDir();
    const broker = await start({ dataPath });
    await broker.publish('t', 'a');
    await broker.close();
    const topic = join(dataPath, 'nsq-data', 'topics', 't.topic');
    const { readFileSync } = await import('node:fs');
    const { crc32 } = await import('node:zlib');
    const [name] = readdirSync(topic).filter((it) => it.endsWith('.log'));
    const bytes = readFileSync(join(topic, name!));
    bytes.write('NSQSEG99', 0, 'latin1');
    bytes.writeUInt32BE(crc32(bytes.subarray(0, 60)), 60);
    writeFileSync(join(topic, name!), bytes);
    await expect(start({ dataPath })).rejects.toMatchObject({ code: 'E_FORMAT' });
    rmSync(topic, { recursive: true });
    await start({ dataPath });
  });

  it('leaves alone what is not its own in the data path', async () => {
    const dataPath = tempDir();
    const topics = join(dataPath, 'nsq-data', 'topics');
    mkdirSync(join(topics, 'bad name.topic'), { recursive: true });
    mkdirSync(join(topics, 'x#ephemeral.topic'));
    writeFileSync(join(topics, 'notes'), 'x');
    writeFileSync(join(dataPath, 'nsqd.dat'), '{}');
    const broker = await start({ dataPath });
    await broker.close();
    expect(readdirSync(topics).sort()).toEqual(['bad name.topic', 'notes', 'x#ephemeral.topic']);
  });

  it('removes what a deleted topic left behind', async () => {
    const dataPath = tempDir();
    const topics = join(dataPath, 'nsq-data', 'topics');
    mkdirSync(join(topics, 't.topic.1700000000000.removed'), { recursive: true });
    await start({ dataPath });
    expect(readdirSync(topics)).toEqual([]);
  });
});
