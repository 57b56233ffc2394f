import { dirname } from 'node:path';
import { fileError, MemoryFiles } from './memory-files.js';

const PAGE = 512;

/**
 * Files of which the system keeps written pages in memory until a sync puts them on the disk. As in Linux, a sync that
 * fails is told of once, and its pages count as written from then on although they are not on the disk. The same goes for
 * a directory's entries.
 */
export class UnsureFiles extends MemoryFiles {
  readonly #disk = new Map<string, Buffer>();
  readonly #dirty = new Map<string, Set<number>>();
  readonly #paths = new Map<number, string>();
  /** Files that a sync of their directory made durable, and those that wait for one. */
  readonly #durable = new Set<string>();
  readonly #madeSince = new Set<string>();
  /** So many of the next syncs of files fail. */
  failing = 0;
  /** So many of the next syncs of directories fail. */
  failingDirectories = 0;
  /** The pages of a sync that failed are forgotten in memory, too: they read as on the disk. */
  forgetful = false;
  /** Syncs of files that worked. */
  synced = 0;

  override openSync(path: string, flags: string | number): number {
    const isThere = this.contents.has(path);
    const fd = super.openSync(path, flags);
    if (!isThere && this.contents.has(path)) this.#madeSince.add(path);
    this.#paths.set(fd, path);
    return fd;
  }

  override writeSync(fd: number, buf: Buffer, offset: number, length: number, position: number): number {
    const written = super.writeSync(fd, buf, offset, length, position);
    this.#touch(fd, position, written);
    return written;
  }

  override write(...[fd, buf, offset, length, position, done]: Parameters<MemoryFiles['write']>): void {
    super.write(fd, buf, offset, length, position, (error, bytes) => {
      this.#touch(fd, position, bytes);
      done(error, bytes);
    });
  }

  override fdatasync(fd: number, done: (error: Error | null) => void): void {
    const path = this.#paths.get(fd)!;
    const pages = this.#dirty.get(path) ?? new Set();
    this.#dirty.delete(path);
    super.fdatasync(fd, (error) => {
      if (error) return done(error);
      if (!this.contents.has(path)) return done(this.#syncEntries(path));
      const isFailing = this.failing > 0;
      if (isFailing) this.failing--;
      else this.synced++;
      const bytes = this.get(path);
      const disk = Buffer.alloc(bytes.length);
      this.#disk.get(path)?.copy(disk);
      for (const page of pages) {
        const from = page * PAGE;
        if (!isFailing) bytes.copy(disk, from, from, from + PAGE);
        else if (this.forgetful) disk.copy(bytes, from, from, from + PAGE);
      }
      this.#disk.set(path, disk);
      done(isFailing ? fileError('EIO') : null);
    });
  }

  override renameSync(from: string, to: string): void {
    super.renameSync(from, to);
    if (!this.contents.has(to)) return;
    this.#madeSince.delete(from);
    this.#madeSince.add(to);
    for (const [fd, path] of this.#paths) if (path === from) this.#paths.set(fd, to);
    for (const map of [this.#disk, this.#dirty] as Map<string, unknown>[]) {
      if (map.has(from)) map.set(to, map.get(from));
      map.delete(from);
    }
  }

  /** What is left when the power fails now. */
  afterPowerFailure(): MemoryFiles {
    const files = new MemoryFiles();
    for (const path of this.paths()) {
      const disk = this.#disk.get(path);
      if (disk && this.#durable.has(path)) files.put(path, disk.subarray(0, this.get(path).length));
    }
    return files;
  }

  #syncEntries(directory: string): Error | null {
    const isFailing = this.failingDirectories > 0;
    if (isFailing) this.failingDirectories--;
    for (const path of this.#madeSince) {
      if (dirname(path) !== directory) continue;
      this.#madeSince.delete(path);
      if (!isFailing) this.#durable.add(path);
    }
    return isFailing ? fileError('EIO') : null;
  }

  #touch(fd: number, position: number, length: number): void {
    const path = this.#paths.get(fd)!;
    const pages = this.#dirty.get(path) ?? new Set();
    this.#dirty.set(path, pages);
    for (let at = position; at < position + length; at++) pages.add(Math.floor(at / PAGE));
  }
}
