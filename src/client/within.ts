/** Resolves when `work` has, or after `timeout` ms; what is below 0 has passed. */
export async function within(timeout: number, work: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const expired = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, Math.max(0, timeout));
  });
  try {
    await Promise.race([expired, work]);
  } finally {
    clearTimeout(timer);
  }
}
