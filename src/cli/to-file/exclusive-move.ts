import { constants } from 'node:fs';
import { copyFile, link, open, rm, unlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { codeOf } from '../errors.js';
import { syncDirectory } from './sync-directory.js';

/** Codes of a file system that has no hard links. */
const NO_LINKS: ReadonlySet<string> = new Set(['EPERM', 'ENOSYS', 'ENOTSUP', 'EOPNOTSUPP', 'EMLINK']);

/**
 * Renames a file, or copies it where `to` is on another file system; never over an existing one: rejects with EEXIST.
 * On file systems with hard links `to` appears whole.
 */
export async function moveExclusively(from: string, to: string): Promise<void> {
  try {
    await link(from, to);
  } catch (error) {
    const code = codeOf(error as Error);
    if (code === 'EXDEV') await copyAcross(from, to);
    else if (NO_LINKS.has(code)) await copy(from, to);
    else throw error;
  }
  await syncDirectory(dirname(to));
  await unlink(from);
}

/** By way of a hidden copy beside `to`, so that nobody finds half a file. */
async function copyAcross(from: string, to: string): Promise<void> {
  const part = join(dirname(to), `.${basename(to)}.${process.pid}.part`);
  await rm(part, { force: true });
  try {
    await copy(from, part);
    await link(part, to);
  } catch (error) {
    if (!NO_LINKS.has(codeOf(error as Error))) throw error;
    await copy(from, to);
  } finally {
    await rm(part, { force: true });
  }
}

async function copy(from: string, to: string): Promise<void> {
  await copyFile(from, to, constants.COPYFILE_EXCL);
  try {
    const handle = await open(to, 'r+');
    await handle.sync().finally(() => handle.close());
  } catch (error) {
    await rm(to, { force: true });
    throw error;
  }
}
