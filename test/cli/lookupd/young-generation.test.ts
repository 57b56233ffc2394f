import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const MODULE = new URL('../../../dist/cli/lookupd/young-generation.js', import.meta.url).href;

/** Bytes of a process's young generation after much was made that did not last at once. */
function youngGeneration(before: string): number {
  const script = `
    import { getHeapSpaceStatistics } from 'node:v8';
    import { keepYoungGenerationSmall } from ${JSON.stringify(MODULE)};
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
  const small = youngGeneration('keepYoungGenerationSmall();');
  expect(small).toBeLessThanOrEqual(4 << 20);
  expect(youngGeneration('')).toBeGreaterThan(2 * small);
});
