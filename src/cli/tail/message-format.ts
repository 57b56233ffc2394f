import { isUtf8 } from 'node:buffer';
import { UsageError } from '../errors.js';
import { unescapeBytes } from '../escapes.js';
import { type TopicPaint, UNPAINTED } from './topic-colors.js';

/** What a format shows of a message. */
export interface ShownMessage {
  readonly topic: string;
  readonly channel: string;
  readonly id: string;
  /** Nanoseconds since 1970. */
  readonly timestamp: bigint;
  readonly attempts: number;
  readonly nsqdAddress: string;
  readonly body: Buffer;
}

/** The bytes to print for a message, in parts. */
export type MessageFormat = (message: ShownMessage) => readonly Buffer[];

const NEWLINE = Buffer.from('\n');
const SEPARATOR = Buffer.from(' | ');
const NS_PER_SECOND = 1_000_000_000n;

const FIELDS: Readonly<Record<string, (message: ShownMessage) => Buffer>> = {
  c: ({ channel }) => Buffer.from(channel),
  i: ({ id }) => Buffer.from(id),
  a: ({ attempts }) => Buffer.from(String(attempts)),
  d: ({ timestamp }) => Buffer.from(formatTimestamp(timestamp)),
  n: ({ nsqdAddress }) => Buffer.from(nsqdAddress),
  v: ({ body }) => body,
};

/**
 * The format that `--format` names: `line` (body and newline), `raw` (the body alone), `json` (one object a line), or
 * a template with `%` in it. `paint` colours lines, and names of topics. Throws {@link UsageError} on anything else.
 */
export function messageFormat(name: string, paint: TopicPaint = UNPAINTED): MessageFormat {
  if (name === 'line' && paint === UNPAINTED) return ({ body }) => [body, NEWLINE];
  if (name === 'line') return ({ topic, body }) => [...painted(paint, topic, body), NEWLINE];
  if (name === 'raw') return ({ body }) => [body];
  if (name === 'json') return (message) => [Buffer.from(`${jsonLine(message)}\n`)];
  if (name.includes('%')) return template(name, paint);
  throw new UsageError(`--format "${name}" is none of line, raw, json, and no template`, {
    hint: "A template has fields in it, as in --format '%t %v'",
  });
}

/** `topic | ` before what another format prints, as nsq_tail shows it. */
export function withTopic(format: MessageFormat, paint: TopicPaint = UNPAINTED): MessageFormat {
  return (message) => [
    ...painted(paint, message.topic, Buffer.from(message.topic)),
    SEPARATOR,
    ...format(message),
  ];
}

function painted(paint: TopicPaint, topic: string, bytes: Buffer): Buffer[] {
  const [open, close] = paint(topic);
  return open === '' ? [bytes] : [Buffer.from(open), bytes, Buffer.from(close)];
}

function template(text: string, paint: TopicPaint): MessageFormat {
  if (/(^|[^%])(%%)*%$/.test(text))
    throw new UsageError(`the template ${JSON.stringify(text)} ends within a field`, {
      hint: '%% is a percent sign',
    });
  const parts = text.split(/(%.)/s).filter((part) => part !== '');
  const printers = parts.map((part): ((message: ShownMessage) => Buffer) => {
    if (!part.startsWith('%')) {
      const literal = unescapeBytes(part);
      return () => literal;
    }
    if (part === '%t') return ({ topic }) => Buffer.concat(painted(paint, topic, Buffer.from(topic)));
    if (part === '%%') return () => Buffer.from('%');
    const field = FIELDS[part.slice(1)];
    if (field) return field;
    throw new UsageError(`the template's ${part} is unknown`, {
      hint: '%t topic, %c channel, %i id, %a attempts, %d time, %n nsqd, %v body, %% a percent sign',
    });
  });
  return (message) => [...printers.map((print) => print(message)), NEWLINE];
}

/** `body` is text, or base64 where it is not UTF-8: then `encoding` says so. The timestamp keeps its nanoseconds. */
function jsonLine({ topic, channel, id, timestamp, attempts, nsqdAddress, body }: ShownMessage): string {
  const head = JSON.stringify({ topic, channel, id }).slice(0, -1);
  const isText = isUtf8(body);
  const tail = JSON.stringify({
    attempts,
    nsqd: nsqdAddress,
    body: body.toString(isText ? 'utf8' : 'base64'),
    ...(isText ? {} : { encoding: 'base64' }),
  });
  return `${head},"timestamp":${timestamp},${tail.slice(1)}`;
}

/** RFC 3339 in UTC with nanoseconds. */
function formatTimestamp(timestamp: bigint): string {
  const seconds = timestamp / NS_PER_SECOND;
  const date = new Date(Number(seconds) * 1000).toISOString().slice(0, 19);
  return `${date}.${(timestamp % NS_PER_SECOND).toString().padStart(9, '0')}Z`;
}
