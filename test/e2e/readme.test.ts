import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { CliProcess, RUN } from './cli-process.js';

const root = join(dirname(RUN), '..');

test("the README's library example runs as it stands", async () => {
  const readme = readFileSync(join(root, 'README.md'), 'utf8');
  const [, example = ''] = /```js\n(.*?)```/s.exec(readme) ?? [];
  // An evaluated module resolves `nsq` from the working directory, as an application with the package would.
  const run = new CliProcess(process.execPath, ['--input-type=module', '--eval', example], {}, root);
  expect(await run.exited).toEqual({ code: 0, stdout: 'hello consumer\n', stderr: '' });
});
