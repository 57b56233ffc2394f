import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Broker } from '../../src/broker/index.js';
import { RawClient } from '../support/raw-client.js';
import { tempDir } from '../support/temp.js';
import { mpubBody, sized, takeFrames, u32 } from '../support/wire.js';
import { open, statsOf } from './brokers.js';

const ID = '0123456789abcdef';

/** All that comes back for these bytes after which the client sends nothing more. */
async function halfClosed({ tcpAddress }: Broker, ...parts: (string | Buffer)[]): Promise<string[]> {
  const [host, port] = tcpAddress.split(':');
  const socket: Socket = connect({ host, port: Number(port), allowHalfOpen: true });
  const chunks: Buffer[] = [];
  socket.on('data', (chunk) => chunks.push(chunk));
  socket.end(Buffer.concat(['  V2', ...parts].map((part) => Buffer.from(part))));
  await once(socket, 'end');
  const { frames } = takeFrames(Buffer.concat(chunks), 'typed');
  return frames.map((frame) =>
    frame.type === 'error' ? frame.code : frame.type === 'response' ? frame.text : 'message',
  );
}

describe('a client that closes its side', () => {
  it.each<[string, (string | Buffer)[], string[]]>([
    ['with nothing sent', [], []],
    ['within a line', ['PU'], []],
    ['after PUB', ['PUB t\n', sized('x')], ['OK']],
    ['before a size', ['PUB t\n'], ['E_BAD_MESSAGE']],
    ['within a size', ['PUB t\n', '\0\0'], ['E_BAD_MESSAGE']],
    ['within a message', ['PUB t\n', sized('x'), 'PUB t\n', u32(5), 'abc'], ['OK', 'E_BAD_MESSAGE']],
    ['within a deferred message', ['DPUB t 5\n', u32(5), 'abc'], ['E_BAD_MESSAGE']],
    ['before the size of an MPUB', ['MPUB t\n'], ['E_BAD_BODY']],
    ['before the count of an MPUB', ['MPUB t\n', u32(20)], ['E_BAD_BODY']],
    ['within the count of an MPUB', ['MPUB t\n', u32(20), '\0\0'], ['E_BAD_BODY']],
    ['after the count of an MPUB', ['MPUB t\n', u32(20), u32(2)], ['E_BAD_MESSAGE']],
    ['within an MPUB', ['MPUB t\n', u32(20), u32(2), u32(1), 'x'], ['E_BAD_MESSAGE']],
    ['within IDENTIFY', ['IDENTIFY\n', u32(20), '{'], ['E_BAD_BODY']],
    ['within AUTH', ['AUTH\n', u32(20), '{'], ['E_BAD_BODY']],
  ])('%s', async (_, parts, expected) => {
    expect(await halfClosed(await open(), ...parts)).toEqual(expected);
  });
});

describe('a command line', () => {
  it('has 16383 bytes at most', async () => {
    const broker = await open();
    const client = await RawClient.connect(broker.tcpAddress);
    client.send(`NOP ${'x'.repeat(16_379)}\n`, 'PUB t\n', sized('x'));
    expect((await client.next()).type).toBe('response');
    client.send(`NOP ${'x'.repeat(16_380)}\n`, 'PUB t\n', sized('x'));
    expect(await client.collectQuiet(50)).toEqual({ frames: [], closed: true });
  });

  it.each([
    ['NOP\r\n', ['OK']],
    ['NOP a b\n', ['OK']],
    ['NOP\r\r\n', ['E_INVALID', 'closed']],
    ['nop\n', ['E_INVALID', 'closed']],
    [' NOP\n', ['E_INVALID', 'closed']],
    ['\n', ['E_INVALID', 'closed']],
    ['SUB t c extra\nRDY\nRDY \nRDY 01\nRDY 1 x\n', ['OK', 'OK']],
    ['SUB t c\nRDY -1\n', ['OK', 'E_INVALID', 'closed']],
    ['SUB t c\nRDY +1\n', ['OK', 'E_INVALID', 'closed']],
    ['SUB t c\nRDY 2501\n', ['OK', 'E_INVALID', 'closed']],
    [`SUB t c\nFIN ${ID}\n`, ['OK', 'E_FIN_FAILED', 'OK']],
    [`SUB t c\nFIN ${ID}0\n`, ['OK', 'E_INVALID', 'closed']],
    [`SUB t c\nREQ ${ID}\n`, ['OK', 'E_INVALID', 'closed']],
    [`SUB t c\nREQ ${ID} x\n`, ['OK', 'E_INVALID', 'closed']],
    [`SUB t c\nREQ ${ID} 99999999999\n`, ['OK', 'E_REQ_FAILED', 'OK']],
    [`SUB t c\nTOUCH ${ID} x\n`, ['OK', 'E_TOUCH_FAILED', 'OK']],
    [`FIN ${ID}\n`, ['E_INVALID', 'closed']],
    ['RDY 1\n', ['E_INVALID', 'closed']],
    ['CLS\n', ['E_INVALID', 'closed']],
    ['SUB t c\nCLS\nRDY 5\n', ['OK', 'CLOSE_WAIT', 'OK']],
    ['SUB t c\nCLS\nCLS\n', ['OK', 'CLOSE_WAIT', 'E_INVALID', 'closed']],
    ['SUB t c\nSUB t c\n', ['OK', 'E_INVALID', 'closed']],
    ['SUB t #ephemeral\n', ['E_BAD_CHANNEL', 'closed']],
    ['SUB  c\n', ['E_BAD_TOPIC', 'closed']],
    ['DPUB t\n', ['E_INVALID', 'closed']],
    ['DPUB t 3600001\n', ['E_INVALID', 'closed']],
  ])('%j', async (line, expected) => {
    const broker = await open();
    const client = await RawClient.connect(broker.tcpAddress);
    client.send(line, 'PUB end\n', sized('x'));
    const seen: string[] = [];
    while (seen.length < expected.length) {
      const frame = await client.next().catch(() => undefined);
      seen.push(
        !frame ? 'closed' : frame.type === 'error' ? frame.code : frame.type === 'response' ? frame.text : '',
      );
    }
    expect(seen).toEqual(expected);
  });
});

describe('a consumer whose command is refused', () => {
  it('gives its messages to others although it has not closed its side', async () => {
    const broker = await open();
    const [host, port] = broker.tcpAddress.split(':');
    const rude = connect({ host, port: Number(port), allowHalfOpen: true });
    rude.resume();
    rude.write(Buffer.concat([Buffer.from('  V2SUB t c\nRDY 5\nMPUB t\n'), mpubBody(['1', '2'])]));
    await expect
      .poll(async () => JSON.parse(await statsOf(broker, 't')).topics[0]?.channels[0]?.in_flight_count)
      .toBe(2);
    rude.write('SUB t c\n');
    const other = await RawClient.connect(broker.tcpAddress);
    other.send('SUB t c\nRDY 5\n');
    expect((await other.next()).type).toBe('response');
    expect([await other.nextMessage(), await other.nextMessage()].map(({ attempts }) => attempts)).toEqual([
      2, 2,
    ]);
    expect(JSON.parse(await statsOf(broker, 't')).topics[0].channels[0].client_count).toBe(1);
    rude.destroy();
  });
});

describe('a client of a unix socket', () => {
  it('has no host name', async () => {
    const broker = await open({ tcpAddress: join(tempDir(), 'tcp.sock') });
    const client = await RawClient.connect(broker.tcpAddress);
    expect(await client.request('SUB t c\n')).toBe('OK');
    const [consumer] = JSON.parse(await statsOf(broker, 't')).topics[0].channels[0].clients;
    expect(consumer).toMatchObject({ client_id: '', hostname: '', remote_address: '@' });
  });
});
