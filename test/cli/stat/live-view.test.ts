import { Chalk } from 'chalk';
import { expect, test } from 'vitest';
import type { Sample } from '../../../src/cli/cluster/cluster.js';
import { RunError } from '../../../src/cli/errors.js';
import { type LiveViewOptions, liveView } from '../../../src/cli/stat/live-view.js';
import { FakeTerminal } from './fake-terminal.js';
import { sample, topic } from './rows.js';

const LEAVE = '\x1b[?7h\x1b[?25h\x1b[?1049l';

/** Shows what comes, and runs `between` after each. */
async function show(
  samples: readonly (Sample | RunError)[],
  options: Partial<LiveViewOptions> = {},
  between: (terminal: FakeTerminal, index: number) => void = () => {},
): Promise<FakeTerminal> {
  const terminal = new FakeTerminal();
  const come = async function* (): AsyncGenerator<Sample | RunError> {
    for (const [index, one] of samples.entries()) {
      yield one;
      between(terminal, index);
    }
  };
  await liveView({
    ...{ samples: come(), intervalMs: 1000, count: undefined, perNode: false, isTree: true },
    ...{ select: (rows) => [...rows], colors: new Chalk({ level: 0 }), end: () => {} },
    ...{ stdout: terminal.stdout, stdin: terminal.stdin, ...options },
  });
  return terminal;
}

const at = (ms: number, messages: number): Sample => sample(ms, { 'n:1': [topic('t', { messages })] });

test('the first picture at once, rates with the next one, and the last one stays', async () => {
  const { written, raw } = await show([at(0, 10), at(1000, 30)]);
  const frames = written.split('\x1b[?2026h').slice(1);
  expect(frames).toHaveLength(2);
  expect(frames[0]).toMatch(/t +0 +0 +0 +- +- +- +- +10 +- +- +-/);
  expect(frames[1]).toMatch(/t +0 +0 +0 +- +- +- +- +30 +20 +20 +-/);
  const last = written.slice(written.indexOf(LEAVE) + LEAVE.length);
  expect(last).toMatch(/^nsqd n:1 [\s\S]* 30 +20 +20 +-\n$/);
  expect(last).not.toContain('\x1b');
  expect(raw).toBe(false);
});

test('--count counts reports that cover an interval', async () => {
  const { written } = await show([at(0, 0), at(1000, 1), at(2000, 2), at(3000, 3)], { count: 2 });
  expect(written.split('\x1b[?2026h')).toHaveLength(4);
});

test('when nobody answers any more it says so, and goes on', async () => {
  const { written } = await show([at(0, 0), new RunError('no nsqd answers'), at(2000, 5)]);
  const frames = written.split('\x1b[?2026h').slice(1);
  expect(frames[1]).toContain('trying again: no nsqd answers');
  expect(frames[2]).not.toContain('trying again');
});

test('when nobody has ever answered it ends, without touching the screen', async () => {
  const terminal = new FakeTerminal();
  const options = { stdout: terminal.stdout, stdin: terminal.stdin };
  await expect(show([new RunError('no nsqd answers')], options)).rejects.toThrow('no nsqd answers');
  expect(terminal.written).toBe('');
  expect(terminal.raw).toBe(false);
});

test('q ends it', async () => {
  let ended = 0;
  await show([at(0, 0)], { end: () => ended++ }, (terminal) => terminal.emit('data', 'q'));
  expect(ended).toBe(1);
});

test('keys move a table that is too long', async () => {
  const many = sample(0, { 'n:1': Array.from({ length: 50 }, (_, index) => topic(`t${index + 10}`)) });
  const { written } = await show([many], {}, (terminal) => terminal.emit('data', '\x1b[BG'));
  expect(written.split('\x1b[?2026h').map((text) => /rows \d+ to \d+ of 50/.exec(text)?.[0])).toEqual([
    undefined,
    'rows 1 to 19 of 50',
    'rows 2 to 20 of 50',
    'rows 32 to 50 of 50',
  ]);
});
