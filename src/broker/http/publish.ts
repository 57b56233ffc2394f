import { booleanParam, HttpError } from '../../http/query.js';
import type { Answer } from '../../http/route.js';
import { ProtocolError } from '../../protocol/errors.js';
import { MpubBody } from '../../protocol/mpub-body.js';
import { BrokerError, messageOf } from '../errors.js';
import { namedTopic } from './admin.js';
import type { Request } from './routes.js';

const NEWLINE = 0x0a;
const OK = 'OK';

/** POST /pub?topic=…[&defer=ms]: the body is one message. */
export function pub(request: Request): Answer | Promise<Answer> {
  const { body } = request;
  if (body.length === 0) throw new HttpError(400, 'MSG_EMPTY');
  const topic = namedTopic(request);
  return kept(request.broker.publishBodies(topic.name, [body], readDefer(request)));
}

/** POST /mpub?topic=…[&binary=true]: a message a line, or an MPUB body. All of it is kept, or nothing. */
export function mpub(request: Request): Answer | Promise<Answer> {
  const { broker, query, body } = request;
  const topic = namedTopic(request);
  const binary = query.has('binary') && booleanParam(query, 'binary', true);
  const { maxMsgSize } = broker.settings;
  const bodies = binary ? splitBinary(request) : splitLines(body, maxMsgSize);
  return kept(broker.publishBodies(topic.name, bodies, 0));
}

function kept(published: Promise<void>): Promise<Answer> {
  return published.then(
    () => OK,
    (cause: unknown) => {
      const code = cause instanceof BrokerError ? cause.code : 'E_STORAGE';
      if (code === 'E_CLOSING') throw new HttpError(503, 'EXITING', { cause });
      // A status after which clients try again by themselves: there may be room by then.
      if (code === 'E_LIMIT') throw new HttpError(503, `LIMIT_REACHED: ${messageOf(cause)}`, { cause });
      throw new HttpError(500, 'INTERNAL_ERROR', { cause });
    },
  );
}

function readDefer({ broker, query }: Request): number {
  const text = query.get('defer');
  if (text === undefined) return 0;
  const ms = /^[+-]?\d{1,19}$/.test(text) ? Number(text) : Number.NaN;
  if (!(ms >= 0 && ms <= broker.settings.maxReqTimeout)) throw new HttpError(400, 'INVALID_DEFER');
  return ms;
}

/** Lines without their newline; empty ones are left out. */
function splitLines(body: Buffer, maxMsgSize: number): Buffer[] {
  const lines: Buffer[] = [];
  for (let at = 0; at < body.length; ) {
    const newline = body.indexOf(NEWLINE, at);
    const end = newline === -1 ? body.length : newline;
    if (end - at > maxMsgSize) throw new HttpError(413, 'MSG_TOO_BIG');
    if (end > at) lines.push(body.subarray(at, end));
    at = end + 1;
  }
  return lines;
}

function splitBinary({ broker, body }: Request): Buffer[] {
  const { maxMsgSize, maxBodySize } = broker.settings;
  const check = new MpubBody();
  try {
    check.begin();
    check.advance(body, 0, body.length, maxMsgSize, maxBodySize);
  } catch (cause) {
    if (cause instanceof ProtocolError) throw new HttpError(413, cause.code.slice(2), { cause });
    throw cause;
  }
  if (!check.isWhole(body.length)) throw new HttpError(413, check.count === 0 ? 'BAD_BODY' : 'BAD_MESSAGE');
  const bodies: Buffer[] = [];
  for (let at = 4; bodies.length < check.count; ) {
    const end = at + 4 + body.readUInt32BE(at);
    bodies.push(body.subarray(at + 4, end));
    at = end;
  }
  return bodies;
}
