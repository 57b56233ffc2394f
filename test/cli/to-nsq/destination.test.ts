import { describe, expect, onTestFinished, test } from 'vitest';
import { Destination } from '../../../src/cli/to-nsq/destination.js';
import type { ProducerOptions } from '../../../src/client/index.js';
import { failure } from '../../client/support/clients.js';
import { cut, deadAddress, fakeNsqd, silent } from '../../client/support/fake-nsqd.js';

function destinationAt(address: string, options: ProducerOptions = {}): Destination {
  const destination = new Destination(address, { reconnectDelay: 5, maxReconnectDelay: 20, ...options });
  onTestFinished(() => destination.close());
  return destination;
}

const outgoing = (body: string) => ({ topic: 'topic', body: Buffer.from(body) });

test('publishes, many at a time', async () => {
  const nsqd = await fakeNsqd();
  const destination = destinationAt(nsqd.address);
  await Promise.all(['a', 'b', 'c'].map((body) => destination.send(outgoing(body))));
  expect(nsqd.peers).toHaveLength(1);
});

test('nothing listens: all that wait fail at once, unsent', async () => {
  const destination = destinationAt(await deadAddress());
  const errors = await Promise.all(['a', 'b'].map((body) => failure(destination.send(outgoing(body)))));
  for (const error of errors)
    expect(error).toMatchObject({
      code: 'E_UNREACHABLE',
      isUnsent: true,
      message: 'connection refused: nothing listens there',
    });
});

test('the next message tries again: it is back', async () => {
  const address = await deadAddress();
  const destination = destinationAt(address);
  await failure(destination.send(outgoing('a')));
  const nsqd = await fakeNsqd({ port: Number(address.split(':')[1]) });
  await destination.send(outgoing('b'));
  expect((await (await nsqd.peer()).next('PUB')).body.toString()).toBe('b');
});

test('lost before the answer: it may have arrived', async () => {
  const nsqd = await fakeNsqd({ on: { PUB: cut } });
  const error = await failure(destinationAt(nsqd.address).send(outgoing('a')));
  expect(error).toMatchObject({ code: 'E_LOST', isUnsent: false });
});

test('no answer in time', async () => {
  const nsqd = await fakeNsqd({ on: { PUB: silent } });
  const error = await failure(destinationAt(nsqd.address, { publishTimeout: 20 }).send(outgoing('a')));
  expect(error).toMatchObject({ code: 'E_TIMEOUT', isUnsent: false });
});

describe('refused', () => {
  test.each([
    ['E_BAD_MESSAGE PUB message too big 2 > 1', true],
    ['E_PUB_FAILED PUB failed disk full', false],
  ])('%s: about the message is %s', async (line, aboutMessage) => {
    const nsqd = await fakeNsqd({ on: { PUB: (peer) => peer.error(line) } });
    const error = await failure(destinationAt(nsqd.address).send(outgoing('a')));
    expect(error).toMatchObject({ code: 'E_REFUSED', aboutMessage, message: line });
  });
});
