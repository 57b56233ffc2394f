import { PassThrough, Writable } from 'node:stream';
import { describe, expect, test, vi } from 'vitest';
import { messageFormat } from '../../../src/cli/tail/message-format.js';
import { type PrintableMessage, Printer } from '../../../src/cli/tail/printer.js';

function messageOf(text: string, finished: string[]): PrintableMessage {
  return {
    topic: 't',
    channel: 'c',
    id: '0'.repeat(16),
    timestamp: 0n,
    attempts: 1,
    nsqdAddress: '',
    body: Buffer.from(text),
    finish: () => finished.push(text),
    touch: vi.fn(),
  };
}

describe('Printer', () => {
  test('messages of one turn go as one write, and are finished after it', async () => {
    const finished: string[] = [];
    const out = new PassThrough();
    const printer = new Printer(out, messageFormat('line'));
    printer.print(messageOf('a', finished));
    printer.print(messageOf('b', finished));
    expect([printer.inFlight, finished]).toEqual([2, []]);
    await printer.flushed();
    printer.close();
    expect(out.read().toString()).toBe('a\nb\n');
    expect([printer.inFlight, finished]).toEqual([0, ['a', 'b']]);
  });

  test('nothing is finished before a slow reader has taken it, and it is touched meanwhile', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    const finished: string[] = [];
    const writes: (() => void)[] = [];
    const out = new Writable({ write: (_chunk, _encoding, done) => void writes.push(done) });
    const printer = new Printer(out, messageFormat('line'));
    const message = messageOf('a', finished);
    printer.print(message);
    while (writes.length === 0) await new Promise(setImmediate);
    vi.advanceTimersByTime(15_000);
    expect(message.touch).toHaveBeenCalledOnce();
    expect(finished).toEqual([]);
    writes.shift()?.();
    await printer.flushed();
    expect(finished).toEqual(['a']);
    printer.close();
    vi.useRealTimers();
  });
});
