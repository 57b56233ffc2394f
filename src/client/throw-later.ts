/**
 * Makes an error of the caller's code, thrown where nothing of ours may be left half done, an uncaught exception of the
 * process, as it would be anywhere else.
 */
export function throwLater(error: unknown): void {
  process.nextTick(() => {
    throw error;
  });
}
