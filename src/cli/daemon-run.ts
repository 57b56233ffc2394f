import type { ChalkInstance } from 'chalk';
import type { DaemonOption } from '../daemon/options.js';
import { withFlagNames } from './daemon-settings.js';
import { Interruption } from './interruption.js';
import { createLogger, type Logger } from './logger.js';
import type { Terminal } from './terminal.js';

interface Closable {
  close(): Promise<void>;
  /** Rejects when it had to stop by itself, with why. */
  readonly closed?: Promise<void>;
}

export interface DaemonRun<T extends Closable> {
  readonly terminal: Terminal;
  /** Before each log line. */
  readonly logPrefix: string;
  /** Its options, by whose flags it is told what is wrong with them. */
  readonly options: readonly DaemonOption[];
  /** Lines to log first. */
  readonly warnings: readonly string[];
  readonly start: (logger: Logger) => Promise<T>;
  /** What a terminal shows once it listens. */
  readonly summary: (daemon: T, colors: ChalkInstance) => Promise<string>;
  /** What the log says instead where there is no terminal. */
  readonly fields: (daemon: T) => Record<string, unknown>;
  /** What a signal makes it do, in words. */
  readonly closing: string;
}

/** Runs a daemon until the first signal, and closes it. Throws what made it stop by itself. */
export async function runDaemon<T extends Closable>(run: DaemonRun<T>): Promise<void> {
  const { terminal } = run;
  const logger = await createLogger({ prefix: run.logPrefix, terminal });
  for (const warning of run.warnings) logger.warn(warning);

  const interruption = new Interruption(
    (line) => logger.info(line),
    () => run.closing,
  );
  const daemon = await run.start(logger).catch((error: unknown) => {
    throw withFlagNames(run.options, error);
  });
  if (terminal.interactive) terminal.say(await run.summary(daemon, await terminal.colors()));
  else logger.info('ready', run.fields(daemon));

  await Promise.race([interruption.wait(), daemon.closed ?? interruption.wait()]);
  await daemon.close();
  await daemon.closed;
  logger.info('stopped');
  interruption.dispose();
}
