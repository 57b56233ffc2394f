import { Interruption } from '../interruption.js';
import type { Logger } from '../logger.js';
import type { Archiver } from './archiver.js';

export interface ArchiverRun {
  readonly archiver: Archiver;
  /** What the archiver starts with. Rejects if that is not possible. */
  readonly start: (signal: AbortSignal) => Promise<void>;
  readonly logger: Logger;
}

/** Writes to files until the first SIGINT or SIGTERM; SIGHUP ends the files. Rejects when a file cannot be written. */
export async function runArchiver({ archiver, start, logger }: ArchiverRun): Promise<void> {
  const interruption: Interruption = new Interruption(
    (line) => logger.info(line),
    () => (archiver.inFlight === 0 ? '' : `${archiver.inFlight} in flight`),
  );
  const onHangUp = (): void => {
    logger.info('SIGHUP: ending the files');
    archiver.rotate();
  };
  process.on('SIGHUP', onHangUp);
  try {
    const started = start(interruption.signal).then(() => new Promise<never>(() => {}));
    await Promise.race([started, archiver.failed, interruption.wait()]);
  } finally {
    await archiver.stop();
    process.off('SIGHUP', onHangUp);
    interruption.dispose();
  }
  // The last messages, too, are on disk, or it has failed by now.
  await Promise.race([archiver.failed, undefined]);
  logger.info('stopped');
}
