import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { CliProcess, RUN } from './cli-process.js';

test("the README's picture is what the commands print", async () => {
  const script = join(dirname(RUN), '..', 'scripts', 'tour.js');
  const run = new CliProcess(process.execPath, [script, '--check']);
  expect(await run.exited).toEqual({ code: 0, stdout: '', stderr: '' });
});
