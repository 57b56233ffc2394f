import { performance } from 'node:perf_hooks';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { MemoryFiles } from '../broker/log/support/memory-files.js';
import { Random } from './harness/random.js';
import { faultsOf, makeWorld, type World } from './support/damaged-world.js';

/** The long run: `FLIPS=10000 npx vitest run test/crash/flips.test.ts`. */
const FLIPS = Number(process.env.FLIPS ?? 500);
const SEED = Number(process.env.FLIP_SEED ?? Date.now() % 1_000_000);
/** When the worlds begin: their time is the test's, so that a seed brings everything back. */
const START = Date.UTC(2026, 0, 1);
/** So many flips are put into each topic. */
const PER_WORLD = 25;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date', 'setTimeout', 'clearTimeout'], now: START });
  vi.spyOn(performance, 'now').mockImplementation(() => Date.now() - START);
});

afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

interface Flip {
  readonly path: string;
  readonly offset: number;
  readonly bit: number;
}

function flip(files: MemoryFiles, paths: string[], random: Random): Flip {
  const total = paths.reduce((sum, path) => sum + files.get(path).length, 0);
  // Small files, such as journals, are hit as often as large ones in a third of the cases.
  let offset = random.int(0, total - 1);
  let path = paths.find((it) => {
    const { length } = files.get(it);
    if (offset < length) return true;
    offset -= length;
    return false;
  })!;
  if (random.chance(1 / 3)) {
    path = random.pick(paths);
    offset = random.int(0, files.get(path).length - 1);
  }
  const bit = random.int(0, 7);
  files.get(path)[offset]! ^= 1 << bit;
  return { path, offset, bit };
}

async function damage(world: World, random: Random): Promise<string[]> {
  const files = world.files.clone();
  const count = random.chance(0.7) ? 1 : random.int(2, 8);
  const all = files.paths().filter((path) => files.get(path).length > 0);
  // Where it is several, they hit one file in half of the cases.
  const paths = random.chance(0.5) ? all : [random.pick(all)];
  const flips = Array.from({ length: count }, () => flip(files, paths, random));
  const journals = flips.filter(({ path }) => path.includes('journal.'));
  const lost = world.costOf(flips);
  const demand = { lost, mayRepeat: journals.length > 0, needsChannels: journals.length < 2 };
  const faults = await faultsOf(world, files, demand).catch((error: Error) => [`crash: ${error.stack}`]);
  return faults.map((fault) => `${fault} (${JSON.stringify(flips)})`);
}

test(`${FLIPS} bit flips in logs and journals cost what they hit and nothing else (seed ${SEED})`, async () => {
  const random = new Random(SEED);
  const faults: string[] = [];
  for (let done = 0; done < FLIPS && faults.length < 20; ) {
    const maxBytesPerFile = random.pick([700, 5000, 1e6]);
    const world = await makeWorld(random.fork(), { maxBytesPerFile, closed: random.chance(0.5) });
    for (let i = 0; i < PER_WORLD && done < FLIPS; i++, done++) faults.push(...(await damage(world, random)));
  }
  expect(faults).toEqual([]);
}, 1_800_000);

test(`files cut at any byte: what is whole before the cut is there (seed ${SEED})`, async () => {
  const random = new Random(SEED);
  const world = await makeWorld(random, { maxBytesPerFile: 3000, closed: false });
  const faults: string[] = [];
  const paths = world.files.paths();
  const total = paths.reduce((sum, path) => sum + world.files.get(path).length, 0);
  const step = Math.ceil(total / FLIPS);
  for (const path of paths) {
    const { length } = world.files.get(path);
    for (let size = random.int(0, step - 1); size < length; size += step) {
      const files = world.files.clone();
      files.put(path, files.get(path).subarray(0, size));
      const isJournal = path.includes('journal.');
      const demand = {
        lost: world.costOfCut({ path, offset: size }),
        mayRepeat: isJournal,
        needsChannels: !isJournal,
      };
      const found = await faultsOf(world, files, demand).catch((error: Error) => [`crash: ${error.stack}`]);
      faults.push(...found.map((fault) => `${fault} (${path} cut at ${size} of ${length})`));
    }
  }
  expect(faults.slice(0, 20)).toEqual([]);
}, 1_800_000);
