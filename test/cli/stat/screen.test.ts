import { expect, test, vi } from 'vitest';
import { type Key, listenToKeys } from '../../../src/cli/stat/keyboard.js';
import { Screen } from '../../../src/cli/stat/screen.js';
import { FakeTerminal } from './fake-terminal.js';

function screenOn(terminal: FakeTerminal, redraw = vi.fn()): Screen {
  return new Screen(terminal.stdout, redraw);
}

test('a frame is one write, over what is there, and shown when it is whole', () => {
  const terminal = new FakeTerminal();
  const screen = screenOn(terminal);
  screen.enter();
  terminal.written = '';
  screen.draw(['one', 'two']);
  expect(terminal.written).toBe('\x1b[?2026h\x1b[Hone\x1b[K\r\ntwo\x1b[K\r\n\x1b[J\x1b[?2026l');
  screen.close();
});

test('nothing is cleared behind a line that is full, nor below the last one', () => {
  const terminal = new FakeTerminal();
  const screen = screenOn(terminal);
  const full = `\x1b[1m${'x'.repeat(80)}\x1b[22m`;
  screen.enter();
  terminal.written = '';
  screen.draw(Array.from({ length: 24 }, () => full));
  expect(terminal.written).not.toContain('\x1b[K');
  expect(terminal.written).not.toContain('\x1b[J');
  screen.close();
});

test('cursor, wrapping and what was there come back, once, and also when the process ends', () => {
  const terminal = new FakeTerminal();
  const screen = screenOn(terminal);
  const listeners = process.listenerCount('exit');
  screen.enter();
  expect(process.listenerCount('exit')).toBe(listeners + 1);
  expect(terminal.written).toBe('\x1b[?1049h\x1b[?25l\x1b[?7l');
  terminal.written = '';
  screen.close();
  screen.close();
  expect(terminal.written).toBe('\x1b[?7h\x1b[?25h\x1b[?1049l');
  screen.draw(['late']);
  expect(terminal.written).not.toContain('late');
  expect(process.listenerCount('exit')).toBe(listeners);
  expect([process.listenerCount('SIGTSTP'), process.listenerCount('SIGCONT')]).toEqual([0, 0]);
});

test('another size is drawn anew', () => {
  const terminal = new FakeTerminal();
  const redraw = vi.fn();
  const screen = screenOn(terminal, redraw);
  screen.enter();
  terminal.emit('resize');
  expect(redraw).toHaveBeenCalledOnce();
  screen.close();
  terminal.emit('resize');
  expect(redraw).toHaveBeenCalledOnce();
});

test('after a stop the screen is ours again', () => {
  const kill = vi.spyOn(process, 'kill').mockReturnValue(true);
  const terminal = new FakeTerminal();
  const redraw = vi.fn();
  const screen = screenOn(terminal, redraw);
  screen.enter();
  process.emit('SIGTSTP');
  expect(terminal.written).toContain('\x1b[?1049l');
  expect(kill).toHaveBeenCalledWith(process.pid, 'SIGSTOP');
  process.emit('SIGCONT');
  expect(terminal.written).toMatch(/\[\?1049h[^h]*$/);
  expect(redraw).toHaveBeenCalledOnce();
  screen.close();
  kill.mockRestore();
});

test('keys, several at once too; Control-C is a signal still', () => {
  const kill = vi.spyOn(process, 'kill').mockReturnValue(true);
  const terminal = new FakeTerminal();
  const pressed: Key[] = [];
  const stop = listenToKeys(
    terminal.stdin,
    () => 10,
    (key) => pressed.push(key),
  );
  expect(terminal.raw).toBe(true);
  terminal.emit('data', Buffer.from('\x1b[B\x1b[B\x1bOAjk\x1b[6~\x1b[5~ gGxq'));
  const [most, least] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  expect(pressed).toEqual([1, 1, -1, 1, -1, 10, -10, 10, least, most, 'end']);
  terminal.emit('data', Buffer.from('\x03'));
  terminal.emit('data', Buffer.from('\x1a'));
  expect(kill.mock.calls).toEqual([
    [process.pid, 'SIGINT'],
    [process.pid, 'SIGTSTP'],
  ]);
  stop();
  expect(terminal.raw).toBe(false);
  kill.mockRestore();
});
