import type { Socket } from 'node:dgram';
import { expect, it } from 'vitest';
import { monotonic } from '../../../src/broker/clock.js';
import { Scheduler } from '../../../src/broker/scheduler.js';
import { Push } from '../../../src/broker/statsd/push.js';
import { cleanup } from '../../support/temp.js';

type Sent = (error: Error | null) => void;

/** A push on a socket that notes what happens to it. */
function pushOf(count: number, duration: number, answer: (sent: Sent) => unknown = (sent) => sent(null)) {
  const notes: string[] = [];
  const times: number[] = [];
  const errors: Error[] = [];
  const scheduler = new Scheduler();
  cleanup(() => scheduler.close());
  const socket = {
    send(packet: Buffer, sent: Sent) {
      notes.push(packet.toString());
      times.push(monotonic());
      answer(sent);
    },
    close: () => notes.push('closed'),
  } as unknown as Socket;
  const packets = Array.from({ length: count }, (_, index) => Buffer.from(String(index)));
  const push = new Push(socket, packets, monotonic() + duration, scheduler, (error) => errors.push(error));
  push.start();
  return { push, notes, times, errors };
}

it('sends the first packet at once and the others evenly', async () => {
  const { push, notes, times } = pushOf(5, 100);
  expect(notes).toEqual(['0']);
  await expect.poll(() => notes, { interval: 2, timeout: 10_000 }).toEqual(['0', '1', '2', '3', '4']);
  times.forEach((at, index) => {
    expect(at - times[0]!).toBeGreaterThan(index * 20 - 2);
  });
  await push.end();
  expect(notes.at(-1)).toBe('closed');
});

it('sends everything at once without time', () => {
  expect(pushOf(3, -500).notes).toEqual(['0', '1', '2']);
});

it('sends what is left when it ends, and waits until that is taken', async () => {
  const waiting: Sent[] = [];
  const { push, notes } = pushOf(3, 60_000, (sent) => waiting.push(sent));
  const end = push.end();
  expect(notes).toEqual(['0', '1', '2']);
  for (const sent of waiting) sent(null);
  await end;
  expect(notes).toEqual(['0', '1', '2', 'closed']);
});

it('goes on after an error', () => {
  const { notes, errors } = pushOf(2, 0, (sent) => sent(new Error('refused')));
  expect(notes).toEqual(['0', '1']);
  expect(errors).toHaveLength(2);
});
