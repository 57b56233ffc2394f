export const LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'fatal'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** Where a daemon's log lines go. The daemon filters by level itself before it calls. */
export interface Logger {
  debug(message: string, fields?: Record<string, unknown>): void;
  info(message: string, fields?: Record<string, unknown>): void;
  warn(message: string, fields?: Record<string, unknown>): void;
  error(message: string, fields?: Record<string, unknown>): void;
}

const nothing = (): void => {};

export const SILENT: Logger = { debug: nothing, info: nothing, warn: nothing, error: nothing };

/** nsqd's own numbers for the levels, as `/config/log_level` shows them: debug 1 to fatal 5. */
export function levelNumber(level: LogLevel): number {
  return LOG_LEVELS.indexOf(level) + 1;
}

/** The logger behind a level that can change at run time. */
export function leveled(sink: Logger, level: () => LogLevel): Logger {
  const open = (of: LogLevel): boolean => LOG_LEVELS.indexOf(of) >= LOG_LEVELS.indexOf(level());
  return {
    debug: (message, fields) => open('debug') && sink.debug(message, fields),
    info: (message, fields) => open('info') && sink.info(message, fields),
    warn: (message, fields) => open('warn') && sink.warn(message, fields),
    error: (message, fields) => open('error') && sink.error(message, fields),
  };
}
