import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, onTestFinished, TestRunner } from 'vitest';

type Cleanup = () => unknown;

/** When something is cleaned up: after the current test if there is one, or after the file's last test. */
export type CleanupScope = 'auto' | 'file';

const fileCleanups: Cleanup[] = [];

afterAll(async () => {
  for (const run of fileCleanups.splice(0).reverse()) await run();
});

/**
 * Runs `run` when the current test is over or, called outside a test (in `beforeAll`), after the file's last test;
 * the last one registered first. Concurrent tests share the "current test": they need the scope 'file'.
 */
export function cleanup(run: Cleanup, scope: CleanupScope = 'auto'): void {
  if (scope === 'auto' && TestRunner.getCurrentTest() !== undefined) {
    onTestFinished(async () => {
      await run();
    });
  } else fileCleanups.push(run);
}

/** A new empty directory that goes with the test (or the file's tests) that asked for it. */
export function tempDir(scope: CleanupScope = 'auto'): string {
  const path = mkdtempSync(join(tmpdir(), 'nsq-test-'));
  cleanup(() => rmSync(path, { recursive: true, force: true, maxRetries: 3 }), scope);
  return path;
}
