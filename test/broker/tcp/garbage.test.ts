import { connect } from 'node:net';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Broker } from '../../../src/broker/broker.js';
import { mpubBody, type RawFrame, sized, takeFrames, u32 } from '../../support/wire.js';
import { openBroker } from '../support/brokers.js';
import { consume, subscribe } from '../support/clients.js';

const part: fc.Arbitrary<Buffer> = fc.oneof(
  fc.uint8Array({ maxLength: 30 }).map((bytes) => Buffer.from(bytes)),
  fc
    .constantFrom(
      ...[
        'PUB t\n',
        'MPUB t\n',
        'DPUB t 5\n',
        'SUB t c\n',
        'RDY 5\n',
        'FIN 0123456789abcdef\n',
        'CLS\n',
        'NOP\n',
      ],
      ...[
        'REQ 0123456789abcdef 0\n',
        'TOUCH 0123456789abcdef\n',
        'IDENTIFY\n',
        'AUTH\n',
        'SUB . ..\n',
        '\r\n',
        ' ',
      ],
      ...[
        'RDY\n',
        'RDY 99999999999999999999\n',
        'DPUB t 99999999999999999999\n',
        'PUB #ephemeral\n',
        'SUB t#ephemeral c\n',
      ],
    )
    .map((text) => Buffer.from(text)),
  fc.string({ maxLength: 20 }).map((text) => sized(text)),
  fc.array(fc.string({ maxLength: 5 }), { maxLength: 4 }).map((bodies) => mpubBody(bodies)),
  fc.constantFrom(0, -1, 5, 0x7fffffff, -0x80000000).map((size) => u32(size)),
  fc.json().map((text) => sized(text)),
);

/** Sends the bytes and nothing more; what comes back until the broker ends the connection. */
async function sendAll({ tcpAddress }: Broker, bytes: Buffer): Promise<RawFrame[]> {
  const { hostname, port } = new URL(`tcp://${tcpAddress}`);
  const socket = connect(Number(port), hostname);
  socket.end(bytes);
  const chunks: Buffer[] = [];
  for await (const chunk of socket) chunks.push(chunk as Buffer);
  return takeFrames(Buffer.concat(chunks), 'typed').frames;
}

it('whatever clients send, the broker is unharmed and keeps nothing that it did not say OK to', async () => {
  const broker = await openBroker();
  const stream = fc.array(part, { maxLength: 12 }).map((parts) => Buffer.concat(parts));
  await fc.assert(
    fc.asyncProperty(stream, fc.boolean(), async (bytes, magic) => {
      const before = [...broker.topics.values()].reduce((sum, { messageCount }) => sum + messageCount, 0);
      const frames = await sendAll(broker, Buffer.concat([Buffer.from(magic ? '  V2' : ''), bytes]));
      const oks = frames.filter((frame) => frame.type === 'response' && frame.text === 'OK').length;
      const after = [...broker.topics.values()].reduce((sum, { messageCount }) => sum + messageCount, 0);
      if (oks === 0) expect(after).toBe(before);
    }),
    { numRuns: 150 },
  );
  const client = await subscribe(broker, 'well', 'c', { ready: 1 });
  await broker.publish('well', 'still here');
  expect(await consume(client, 1)).toEqual(['still here']);
});
