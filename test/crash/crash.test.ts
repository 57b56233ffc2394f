import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { crash } from './harness/harness.js';

const BROKER = [process.execPath, fileURLToPath(new URL('../../bin/run.js', import.meta.url)), 'serve'];
const SEED = Number(process.env.CRASH_SEED ?? Date.now() % 1_000_000);

test(`a broker that is killed 20 times loses nothing that it confirmed (seed ${SEED})`, {
  timeout: 120_000,
}, async () => {
  const { faults, confirmed, received, refused, deletions, compactions, overwritten } = await crash({
    kills: 20,
    seed: SEED,
    command: BROKER,
  });
  expect(faults).toEqual([]);
  expect(confirmed).toBeGreaterThan(0);
  expect(received).toBeGreaterThan(confirmed);
  // Not only publishes and deliveries are to be under way when the broker is killed.
  expect(refused + deletions + compactions + overwritten).toBeGreaterThan(0);
});
