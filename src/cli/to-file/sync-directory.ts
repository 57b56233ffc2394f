import { open } from 'node:fs/promises';

/** A new name outlasts a power failure only with its directory. Not every system lets a directory be synced. */
export async function syncDirectory(path: string): Promise<void> {
  try {
    const handle = await open(path);
    await handle.sync().finally(() => handle.close());
  } catch {
    // the file's own sync is what counts
  }
}
