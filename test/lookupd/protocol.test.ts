import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import { sized, u32 } from '../support/wire.js';
import { ask, identity, lookupdOf, nodesOf, producersOf, ScriptedBroker, until } from './support/lookupd.js';

const IDENTIFY = Buffer.concat([Buffer.from('IDENTIFY\n'), sized(JSON.stringify(identity('h')))]);
const body = (value: unknown): Buffer =>
  Buffer.concat([Buffer.from('IDENTIFY\n'), sized(JSON.stringify(value))]);

/** What was sent, and what the original answers before it closes the connection. */
const REFUSED: [name: string, sent: (Buffer | string)[], answers: string[]][] = [
  ['a command in small letters', ['ping\n'], ['E_INVALID invalid command ping']],
  ['an empty line', ['\n'], ['E_INVALID invalid command ']],
  ['a tab for a blank', ['PING\tx\n'], ['E_INVALID invalid command PING\tx']],
  ['UNREGISTER before IDENTIFY', ['UNREGISTER t\n'], ['E_INVALID client must IDENTIFY']],
  ['what comes after a refusal', ['FROB\nPING\n'], ['E_INVALID invalid command FROB']],
  ['a body of no length', ['IDENTIFY\n', u32(0)], ['E_BAD_BODY IDENTIFY failed to decode JSON body']],
  ['a body that is a list', [body([1])], ['E_BAD_BODY IDENTIFY failed to decode JSON body']],
  ['a body that is null', [body(null)], ['E_BAD_BODY IDENTIFY missing fields']],
  [
    'a port that is text',
    [body({ ...identity('h'), tcp_port: '1' })],
    ['E_BAD_BODY IDENTIFY failed to decode JSON body'],
  ],
  [
    'a port with a fraction',
    [body({ ...identity('h'), tcp_port: 1.5 })],
    ['E_BAD_BODY IDENTIFY failed to decode JSON body'],
  ],
  [
    'a remote address that is no text',
    [body({ ...identity('h'), remote_address: 5 })],
    ['E_BAD_BODY IDENTIFY failed to decode JSON body'],
  ],
  ['a port of 0', [body({ ...identity('h'), http_port: 0 })], ['E_BAD_BODY IDENTIFY missing fields']],
];

/** After IDENTIFY. */
const REFUSED_LATER: [name: string, line: string, answer: string][] = [
  ['two blanks', 'REGISTER  t', "E_BAD_TOPIC REGISTER topic name '' is not valid"],
  [
    'a name of 65',
    `REGISTER ${'a'.repeat(65)}`,
    `E_BAD_TOPIC REGISTER topic name '${'a'.repeat(65)}' is not valid`,
  ],
  ['a bad channel', 'UNREGISTER t a$', "E_BAD_CHANNEL UNREGISTER channel name 'a$' is not valid"],
  ['no topic', 'UNREGISTER', 'E_INVALID UNREGISTER insufficient number of params'],
];

describe('protocol V1', () => {
  it.each(REFUSED)('refuses %s and closes', async (_, sent, answers) => {
    const raw = await ScriptedBroker.connect(await lookupdOf());
    raw.send(...sent);
    await raw.ended();
    const { frames } = await raw.collectQuiet(0);
    expect(frames.map((frame) => 'text' in frame && frame.text)).toEqual(answers);
  });

  it.each(REFUSED_LATER)('refuses %s and closes', async (_, line, answer) => {
    const lookupd = await lookupdOf();
    const broker = await ScriptedBroker.start(lookupd, 'a');
    await expect(broker.send(line)).rejects.toThrow(answer);
    await broker.raw.ended();
    expect(await nodesOf(lookupd)).toEqual([]);
  });

  it.each([-1, -(2 ** 31), 2 ** 31 - 1])(
    'a body of %i bytes costs its connection, not the daemon',
    async (size) => {
      const lookupd = await lookupdOf();
      const raw = await ScriptedBroker.connect(lookupd);
      raw.send('IDENTIFY\n', u32(size));
      await raw.ended();
      const { frames } = await raw.collectQuiet(0);
      expect(frames).toMatchObject([{ code: 'E_BAD_BODY' }]);
      expect((await ask(lookupd, '/ping')).body).toBe('OK');
    },
  );

  it.each([
    ['its size', [], 'IDENTIFY failed to read body size'],
    ['the rest of its size', [Buffer.from([0, 0])], 'IDENTIFY failed to read body size'],
    ['its body', [u32(9), '{}'], 'IDENTIFY failed to read body'],
  ] as const)('an IDENTIFY that ends before %s is told so', async (_, sent, words) => {
    const { tcpAddress } = await lookupdOf();
    const [host, port] = tcpAddress.split(':');
    const socket = connect({ host: host ?? '', port: Number(port) });
    socket.write('  V1IDENTIFY\n');
    for (const bytes of sent) socket.write(bytes);
    socket.end();
    const answer = Buffer.concat(await socket.toArray());
    expect(answer.toString('latin1', 4)).toBe(`E_BAD_BODY ${words}`);
  });

  it('takes the same commands byte by byte', async () => {
    const lookupd = await lookupdOf();
    const raw = await ScriptedBroker.connect(lookupd, '');
    const bytes = Buffer.concat([Buffer.from('  V1'), IDENTIFY, Buffer.from(' REGISTER t c x \r\nPING\n')]);
    for (const byte of bytes) raw.send(Buffer.from([byte]));
    await raw.arrival(3, 5000);
    const { frames } = await raw.collectQuiet(0);
    expect(frames.map((frame) => frame.type)).toEqual(['response', 'response', 'response']);
    expect(await producersOf(lookupd, 't')).toEqual(['h']);
  });

  it('knows the keys of IDENTIFY in any case, and says who it is', async () => {
    const lookupd = await lookupdOf({ broadcastAddress: 'me' });
    const raw = await ScriptedBroker.connect(lookupd);
    const answer = await raw.request(
      body({
        Broadcast_Address: 'x',
        TCP_PORT: 1,
        http_port: 2,
        Version: '9',
        more: [1],
        topology_zone: null,
      }),
    );
    expect(JSON.parse(answer)).toMatchObject({
      broadcast_address: 'me',
      tcp_port: Number(lookupd.tcpAddress.split(':').pop()),
      http_port: Number(lookupd.httpAddress.split(':').pop()),
      version: '1.3.0',
    });
    expect(await nodesOf(lookupd)).toEqual(['x']);
  });

  it('a broker that is cut off is gone with all it registered; its names stay', async () => {
    const lookupd = await lookupdOf();
    const a = await ScriptedBroker.start(lookupd, 'a', 'REGISTER t c', 'REGISTER u');
    await ScriptedBroker.start(lookupd, 'b', 'REGISTER t');
    await a.leave(lookupd);
    expect(await producersOf(lookupd, 't')).toEqual(['b']);
    expect(await producersOf(lookupd, 'u')).toEqual([]);
    expect((await ask(lookupd, '/lookup?topic=t')).json.channels).toEqual(['c']);
    expect((await ask(lookupd, '/debug')).json).not.toHaveProperty(['channel:t:c']);
  });

  it('a connection cut within a command registers nothing', async () => {
    const lookupd = await lookupdOf();
    for (const cut of [2, 6, 12, 15, IDENTIFY.length + 3]) {
      const raw = await ScriptedBroker.connect(lookupd, '');
      raw.send(Buffer.concat([Buffer.from('  V1'), IDENTIFY]).subarray(0, cut));
      raw.close();
    }
    const last = await ScriptedBroker.start(lookupd, 'last', 'REGISTER t');
    expect(await nodesOf(lookupd)).toEqual(['last']);
    await last.leave(lookupd);
  });

  it('unregistering the last producer of an ephemeral channel removes it, of another one does not', async () => {
    const lookupd = await lookupdOf();
    const a = await ScriptedBroker.start(lookupd, 'a', 'REGISTER t e#ephemeral', 'REGISTER t c');
    const b = await ScriptedBroker.start(lookupd, 'b', 'REGISTER t e#ephemeral');
    const channels = async (): Promise<unknown> => (await ask(lookupd, '/channels?topic=t')).json.channels;
    await a.send('UNREGISTER t e#ephemeral');
    await a.send('UNREGISTER t c');
    expect(await channels()).toEqual(['e#ephemeral', 'c']);
    await b.send('UNREGISTER t e#ephemeral');
    expect(await channels()).toEqual(['c']);
  });

  it('an ephemeral topic whose broker died is not left behind (#1116)', async () => {
    const lookupd = await lookupdOf();
    const a = await ScriptedBroker.start(lookupd, 'a', 'REGISTER t#ephemeral c', 'REGISTER t');
    await a.leave(lookupd);
    expect((await ask(lookupd, '/topics')).json.topics).toEqual(['t']);
    expect((await ask(lookupd, '/channels?topic=t%23ephemeral')).json.channels).toEqual([]);
  });

  it('a broker that connects anew before its old connection is seen to be gone stays registered', async () => {
    const lookupd = await lookupdOf();
    const before = await ScriptedBroker.start(lookupd, 'a', 'REGISTER t');
    await ScriptedBroker.start(lookupd, 'a', 'REGISTER t');
    expect(await producersOf(lookupd, 't')).toEqual(['a', 'a']);
    before.raw.close();
    await until(async () => (await producersOf(lookupd, 't')).length === 1);
  });

  it('a silent broker is left out of look-ups and nodes until it pings, and keeps its registrations', async () => {
    const lookupd = await lookupdOf({ inactiveProducerTimeout: 30 });
    const a = await ScriptedBroker.start(lookupd, 'a', 'REGISTER t c');
    await until(async () => (await producersOf(lookupd, 't')).length === 0);
    expect(await nodesOf(lookupd)).toEqual([]);
    expect((await ask(lookupd, '/debug')).json).toHaveProperty(['channel:t:c']);
    await a.send('PING');
    expect(await producersOf(lookupd, 't')).toEqual(['a']);
  });
});
