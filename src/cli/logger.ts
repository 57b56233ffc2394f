import type { Terminal } from './terminal.js';

/** The levels in their order. `fatal` only silences the others: nothing that goes on is fatal. */
const LEVELS = ['debug', 'info', 'warn', 'error'] as const;
type Level = (typeof LEVELS)[number];

/** What the parts that log are given; `fields` become members of the JSON line. */
export type Logger = Record<Level, (message: string, fields?: Record<string, unknown>) => void>;

export interface LoggerOptions {
  /** As nsqd writes it, e.g. `[nsqd] `: before each line on a terminal, the `name` in JSON. */
  readonly prefix: string;
  readonly terminal: Terminal;
}

/**
 * Log lines on standard error: for people on a terminal, JSON by pino otherwise. The level is the caller's business,
 * since a broker's can change while it runs.
 */
export async function createLogger({ prefix, terminal }: LoggerOptions): Promise<Logger> {
  return terminal.interactive ? prettyLogger(prefix, terminal) : jsonLogger(prefix);
}

async function jsonLogger(prefix: string): Promise<Logger> {
  const { pino, stdTimeFunctions } = await import('pino');
  const name = prefix.replace(/[[\]\s:]/g, '');
  const log = pino(
    {
      level: 'debug',
      base: name === '' ? null : { name },
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    pino.destination({ fd: process.stderr.fd, sync: true }),
  );
  return loggerOf((level, message, fields) => log[level](fields ?? {}, message));
}

async function prettyLogger(prefix: string, terminal: Terminal): Promise<Logger> {
  const colors = await terminal.colors();
  const paint = { debug: colors.gray, info: colors.cyan, warn: colors.yellow, error: colors.red };
  return loggerOf((level, message, fields) => {
    const time = new Date().toTimeString().slice(0, 8);
    terminal.say(
      `${colors.dim(time)} ${paint[level](level.padEnd(5))} ${prefix}${message}${formatFields(fields)}`,
    );
  });
}

type Sink = (level: Level, message: string, fields?: Record<string, unknown>) => void;

function loggerOf(sink: Sink): Logger {
  return {
    debug: (message, fields) => sink('debug', message, fields),
    info: (message, fields) => sink('info', message, fields),
    warn: (message, fields) => sink('warn', message, fields),
    error: (message, fields) => sink('error', message, fields),
  };
}

function formatFields(fields: Record<string, unknown> = {}): string {
  return Object.entries(fields)
    .map(
      ([key, value]) =>
        ` ${key}=${typeof value === 'string' ? value : (JSON.stringify(value) ?? 'undefined')}`,
    )
    .join('');
}
