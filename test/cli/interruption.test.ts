import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Interruption } from '../../src/cli/interruption.js';

const said: string[] = [];
const exit = vi.fn();

beforeEach(() => {
  said.length = 0;
  exit.mockReset();
  vi.spyOn(process, 'exit').mockImplementation(exit as never);
});
afterEach(() => {
  vi.restoreAllMocks();
  for (const name of ['SIGINT', 'SIGTERM']) process.removeAllListeners(name);
});

const interrupted = (inFlight = ''): Interruption =>
  new Interruption(
    (line) => said.push(line),
    () => inFlight,
  );

test('the first signal says what is in flight and stops the command, the second one ends the process with 130', async () => {
  const interruption = interrupted('3 messages in flight');
  process.emit('SIGINT', 'SIGINT');
  await interruption.wait();
  expect(interruption.signal.aborted).toBe(true);
  expect(said).toEqual(['SIGINT: stopping, 3 messages in flight (again to stop at once)']);
  expect(exit).not.toHaveBeenCalled();
  process.emit('SIGTERM', 'SIGTERM');
  expect(exit.mock.calls).toEqual([[130]]);
});

test('a second signal while the process ends does not kill it', () => {
  const interruption = interrupted();
  process.emit('SIGTERM', 'SIGTERM');
  interruption.dispose();
  process.emit('SIGTERM', 'SIGTERM');
  expect(exit.mock.calls).toEqual([[130]]);
});

test('without a signal nothing is left behind', () => {
  const before = process.listenerCount('SIGINT');
  interrupted().dispose();
  expect(process.listenerCount('SIGINT')).toBe(before);
});
