import { PassThrough } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { createLogger } from '../../src/cli/logger.js';
import { Terminal, type TerminalOptions, type TerminalStream } from '../../src/cli/terminal.js';

/** A stream that says that it is a terminal, or not, and keeps what is written. */
class FakeStream extends PassThrough implements TerminalStream {
  readonly isTTY: boolean;

  constructor(isTTY: boolean) {
    super();
    this.isTTY = isTTY;
  }
}

describe('Terminal', () => {
  test.each([
    ['a terminal', true, {}, undefined, true],
    ['a pipe', false, {}, undefined, false],
    ['NO_COLOR', true, { NO_COLOR: '1' }, undefined, false],
    ['an empty NO_COLOR', true, { NO_COLOR: '' }, undefined, true],
    ['TERM=dumb', true, { TERM: 'dumb' }, undefined, false],
    ['--no-color', true, {}, false, false],
    ['--color into a pipe', false, { NO_COLOR: '1' }, true, true],
  ])('colour: %s', async (_, isTTY, environment, color, expected) => {
    const options: TerminalOptions = { stream: new FakeStream(isTTY), environment, color };
    const colors = await new Terminal(options).colors();
    expect(colors.red('x') !== 'x').toBe(expected);
  });

  test.each([
    ['a pipe', false, {}],
    ['TERM=dumb', true, { TERM: 'dumb' }],
    ['CI', true, { CI: 'true' }],
  ])('no progress: %s', async (_, isTTY, environment) => {
    const terminal = new Terminal({ stream: new FakeStream(isTTY), environment });
    expect(await terminal.progress('working')).toBeUndefined();
  });
});

test('log lines on a terminal: time, level, prefix, message, fields', async () => {
  const stream = new FakeStream(true);
  const terminal = new Terminal({ stream, environment: { TERM: 'dumb' } });
  const logger = await createLogger({ prefix: '[nsqd] ', terminal });
  logger.warn('slow disk', { ms: 12, path: '/data' });
  expect(String(stream.read())).toMatch(/^\d\d:\d\d:\d\d warn {2}\[nsqd\] slow disk ms=12 path=\/data\n$/);
});
