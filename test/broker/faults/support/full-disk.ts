import { Broker } from '../../../../src/broker/broker.js';
import { type Files, REAL_FILES } from '../../../../src/broker/log/files.js';
import type { BrokerOptions } from '../../../../src/broker/settings.js';
import { cleanup, tempDir } from '../../../support/temp.js';

/** The file system, with writes to some files refused as on a full disk. */
export class FullDisk {
  refuse: (path: string) => boolean = () => false;
  readonly files: Files;
  readonly #paths = new Map<number, string>();

  constructor() {
    this.files = {
      ...REAL_FILES,
      openSync: (path, flags) => {
        const fd = REAL_FILES.openSync(path, flags);
        this.#paths.set(fd, path);
        return fd;
      },
      writeSync: (fd, ...rest) => {
        this.#check(fd);
        return REAL_FILES.writeSync(fd, ...rest);
      },
      fdatasync: (fd, done) => {
        try {
          this.#check(fd);
        } catch (error) {
          setImmediate(done, error as Error);
          return;
        }
        REAL_FILES.fdatasync(fd, done);
      },
    };
  }

  #check(fd: number): void {
    if (!this.refuse(this.#paths.get(fd) ?? '')) return;
    throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
  }
}

/** A broker on such a disk, with HTTP. */
export async function openOn({ files }: FullDisk, options: BrokerOptions = {}): Promise<Broker> {
  const broker = new Broker({ dataPath: tempDir(), httpAddress: '127.0.0.1:0', ...options }, files);
  await broker.start();
  cleanup(() => broker.close());
  return broker;
}
