import { afterAll, expect } from 'vitest';

const figures: string[] = [];

afterAll(() => {
  if (figures.length > 0) console.log(`recovery times\n${figures.splice(0).join('\n')}`);
});

/** Notes how long something took; they are printed after the file's tests. */
export function recovered(what: string, ms: number, atMost: number): void {
  figures.push(`  ${what}: ${Math.round(ms)} ms (wanted: ${atMost})`);
  expect(ms, what).toBeLessThan(atMost);
}
