import { afterEach, vi } from 'vitest';
import type { MessageHandler } from '../../../src/client/runner.js';
import type { FakePeer } from './fake-nsqd.js';

/** Time that stands still but for `vi.advanceTimersByTime`, while sockets go on. It goes on again after the test. */
export function standStill(): void {
  vi.useFakeTimers({
    toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'performance'],
  });
}

// Before what onTestFinished does, which waits for timers.
afterEach(() => {
  vi.useRealTimers();
});

/** What the client said after its handshake, as text. */
export function said(peer: FakePeer): string[] {
  return peer.commands
    .filter(({ name }) => name !== 'IDENTIFY' && name !== 'SUB' && name !== 'NOP')
    .map(({ name, params }) => [name, ...params].map((one) => one.replace(/^0+(?=[\da-f]+$)/, '')).join(' '));
}

/** Resolves when the client has dealt with what it was sent, and with timers that rang. */
export async function settled(peer: FakePeer): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await new Promise(setImmediate);
  const before = peer.count('NOP');
  peer.heartbeat();
  await peer.until(() => peer.count('NOP') > before);
}

/** A handler that fails at bodies that begin with `bad`. */
export const failingAtBad: MessageHandler = (message) => {
  if (message.text().startsWith('bad')) throw new Error('bad');
};
