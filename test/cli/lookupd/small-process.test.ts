import { execFile, execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const MODULE = new URL('../../../dist/cli/lookupd/small-process.js', import.meta.url).href;

/** V8's status of a function: kTurboFanned. */
const COMPILED = 1 << 6;

/** Bytes of a process's young generation after much was made that did not last at once. */
function youngGeneration(before: string): number {
  const script = `
    import { getHeapSpaceStatistics } from 'node:v8';
    import { keepProcessSmall } from ${JSON.stringify(MODULE)};
    ${before}
    for (let round = 0; round < 60; round++) {
      const kept = [];
      for (let i = 0; i < 20_000; i++) kept.push({ i });
    }
    console.log(getHeapSpaceStatistics().find((it) => it.space_name === 'new_space').space_size);`;
  const args = ['--input-type=module', '--eval', script];
  return Number(execFileSync(process.execPath, args, { cwd: fileURLToPath(new URL('.', import.meta.url)) }));
}

it('the young generation stays small, where it would grow', () => {
  const small = youngGeneration('keepProcessSmall();');
  expect(small).toBeLessThanOrEqual(4 << 20);
  expect(youngGeneration('')).toBeGreaterThan(2 * small);
});

it('hot code is compiled once the process has been busy for longer than a moment, not before', async () => {
  const script = `
    import { setImmediate as turn } from 'node:timers/promises';
    import { keepProcessSmall } from ${JSON.stringify(MODULE)};
    keepProcessSmall();
    const hot = (n) => { let sum = 0; for (let i = 0; i < n; i++) sum += i % 7; return sum; };
    const isCompiled = () => (%GetOptimizationStatus(hot) & ${COMPILED}) !== 0;
    const start = performance.now();
    const seen = [];
    while (!isCompiled() && performance.now() - start < 10_000) {
      for (let i = 0; i < 1000; i++) hot(1000);
      if (seen.length === 0 && performance.now() - start > 900) seen.push(isCompiled());
      await turn();
    }
    console.log(JSON.stringify([...seen, isCompiled()]));`;
  const args = ['--allow-natives-syntax', '--input-type=module', '--eval', script];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  expect(JSON.parse(stdout)).toEqual([false, true]);
});
