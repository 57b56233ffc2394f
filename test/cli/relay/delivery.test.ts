import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { Delivery, type DeliveryMode, type Target } from '../../../src/cli/relay/delivery.js';
import { DeliveryError } from '../../../src/cli/relay/delivery-error.js';

const unreachable = new DeliveryError('E_UNREACHABLE', 'nothing listens there');
const refused = new DeliveryError('E_REFUSED', 'got status code 500');
const badMessage = new DeliveryError('E_REFUSED', 'message too big', { aboutMessage: true });

/** Takes what it is sent, unless it has an error to fail with. */
class FakeTarget implements Target<string> {
  readonly taken: string[] = [];
  tries = 0;
  error: Error | undefined;
  readonly name: string;

  constructor(name: string, error?: Error) {
    this.name = name;
    this.error = error;
  }

  async send(payload: string): Promise<void> {
    this.tries++;
    if (this.error) throw this.error;
    this.taken.push(payload);
  }
}

function deliveryTo(targets: readonly FakeTarget[], mode: DeliveryMode = 'hostpool', statusEvery = 0) {
  const lines: string[] = [];
  return { delivery: new Delivery(targets, { mode, statusEvery, say: (line) => lines.push(line) }), lines };
}

describe.each(['hostpool', 'epsilon-greedy'] as const)('%s', (mode) => {
  test('a target that cannot be reached costs no message, and is left alone', async () => {
    const [dead, alive] = [new FakeTarget('dead', unreachable), new FakeTarget('alive')];
    const { delivery, lines } = deliveryTo([dead, alive], mode);
    for (const payload of ['1', '2', '3']) await delivery.deliver(payload);
    expect(alive.taken).toEqual(['1', '2', '3']);
    expect(dead.tries).toBe(1);
    expect(lines).toEqual(['not delivered to dead: nothing listens there']);
  });

  test('a target that may have the message is not passed over: that could double it', async () => {
    const [bad, good] = [new FakeTarget('bad', refused), new FakeTarget('good')];
    const { delivery } = deliveryTo([bad, good], mode);
    await expect(delivery.deliver('1')).rejects.toBe(refused);
    expect(good.tries).toBe(0);
    await delivery.deliver('2');
    expect(good.taken).toEqual(['2']);
  });

  test('none can be reached: each is tried once, and again with the next message', async () => {
    const targets = ['a', 'b', 'c'].map((name) => new FakeTarget(name, unreachable));
    const { delivery } = deliveryTo(targets, mode);
    await expect(delivery.deliver('1')).rejects.toBe(unreachable);
    expect(targets.map(({ tries }) => tries)).toEqual([1, 1, 1]);
    for (const target of targets) target.error = undefined;
    await delivery.deliver('2');
    expect(targets.flatMap(({ taken }) => taken)).toEqual(['2']);
  });

  test('a message that is refused for what it is does not make the target a dead one', async () => {
    // The greedy pool, too, takes them in turn then.
    const random = vi.spyOn(Math, 'random').mockReturnValue(0);
    onTestFinished(() => random.mockRestore());
    const [one, other] = [new FakeTarget('one', badMessage), new FakeTarget('other')];
    const { delivery } = deliveryTo([one, other], mode);
    await expect(delivery.deliver('big')).rejects.toBe(badMessage);
    one.error = undefined;
    for (const payload of ['1', '2', '3', '4']) await delivery.deliver(payload);
    expect([one.taken, other.taken]).toEqual([
      ['2', '4'],
      ['1', '3'],
    ]);
  });
});

test('round-robin stays with the target whose turn it is', async () => {
  const [a, b] = [new FakeTarget('a'), new FakeTarget('b', unreachable)];
  const { delivery } = deliveryTo([a, b], 'round-robin');
  await expect(delivery.deliver('1')).rejects.toBe(unreachable);
  await delivery.deliver('2');
  await expect(delivery.deliver('3')).rejects.toBe(unreachable);
  expect(a.taken).toEqual(['2']);
});

test('multicast: every target in order, none behind one that fails', async () => {
  const [a, b, c] = [new FakeTarget('a'), new FakeTarget('b'), new FakeTarget('c')];
  const { delivery } = deliveryTo([a, b, c], 'multicast');
  await delivery.deliver('1');
  b.error = refused;
  await expect(delivery.deliver('2')).rejects.toBe(refused);
  expect([a.taken, b.taken, c.taken]).toEqual([['1', '2'], ['1'], ['1']]);
});

test('times by target and over all, of what was delivered; of a single target only over all', async () => {
  const two = deliveryTo([new FakeTarget('a'), new FakeTarget('b')], 'hostpool', 2);
  for (const payload of ['1', '2', '3', '4']) await two.delivery.deliver(payload);
  expect(two.lines.map((line) => line.replace(/:.*/, ''))).toEqual([
    '[aggregate]',
    '[a]',
    '[b]',
    '[aggregate]',
  ]);
  const single = new FakeTarget('a', refused);
  const one = deliveryTo([single], 'hostpool', 2);
  await expect(one.delivery.deliver('1')).rejects.toBe(refused);
  expect(one.lines).toEqual(['not delivered to a: got status code 500']);
  single.error = undefined;
  await one.delivery.deliver('2');
  await one.delivery.deliver('3');
  expect(one.lines.at(-1)).toMatch(
    /^\[aggregate\]: finished 2 - 99th: \d+\.\d\dms - 95th: \d+\.\d\dms - avg: \d+\.\d\dms$/,
  );
});
