import { ProtocolError } from './errors.js';
import { MESSAGE_ID_LENGTH } from './message.js';
import { isValidName } from './names.js';

/**
 * Commands from a client to the daemon, encoded (TCP protocol specification, "Commands"). Every encoder checks what
 * it is given and throws a {@link ProtocolError} with the code the daemon would have answered with, so that nothing
 * malformed costs a connection.
 */

/** A message's content: bytes, or a string that is sent as UTF-8. */
export type Body = Buffer | Uint8Array | string;

/** The first bytes of every connection: protocol version 2. */
export const MAGIC: Buffer = Buffer.from('  V2');
export const NOP: Buffer = Buffer.from('NOP\n');
export const CLS: Buffer = Buffer.from('CLS\n');

/** Bytes of one FIN command. */
export const FIN_SIZE = 5 + MESSAGE_ID_LENGTH;
/** Sizes on the wire are read as signed 32-bit numbers. */
const MAX_SIZE = 0x7fffffff;

/** What of a PUB's line is not the topic. */
const PUB_AND_NEWLINE = 'PUB \n'.length;

/** By topic: checking its name and writing the line takes longer than the rest of a short message. */
const pubLines = new Map<string, Buffer>();
/** So many are remembered at most: then it starts anew. */
const MAX_PUB_LINES = 256;

const F = 0x46;
const I = 0x49;
const N = 0x4e;
const SPACE = 0x20;
const NEWLINE = 0x0a;

export function encodeIdentify(fields: Readonly<Record<string, unknown>>): Buffer {
  return withBody('IDENTIFY\n', JSON.stringify(fields), 'E_BAD_BODY');
}

export function encodeAuth(secret: string): Buffer {
  return withBody('AUTH\n', secret, 'E_BAD_BODY');
}

export function encodeSub(topic: string, channel: string): Buffer {
  checkTopic(topic);
  checkChannel(channel);
  return Buffer.from(`SUB ${topic} ${channel}\n`, 'latin1');
}

export function encodePub(topic: string, body: Body): Buffer {
  const line = pubLine(topic);
  const size = bodySize(body, 'E_BAD_MESSAGE');
  const command = Buffer.allocUnsafe(line.length + 4 + size);
  command.set(line);
  putBody(command, body, command.writeUInt32BE(size, line.length));
  return command;
}

/** @param delayMs milliseconds, whole after rounding down, not negative */
export function encodeDpub(topic: string, delayMs: number, body: Body): Buffer {
  checkTopic(topic);
  return withBody(`DPUB ${topic} ${wholeMs(delayMs, 'DPUB delay')}\n`, body, 'E_BAD_MESSAGE');
}

/** Many messages as one command, which the daemon keeps whole or not at all: one Buffer, each body copied once. */
export function encodeMpub(topic: string, bodies: readonly Body[]): Buffer {
  checkTopic(topic);
  if (!Array.isArray(bodies)) throw new ProtocolError('E_BAD_BODY', 'MPUB needs an array of messages');
  if (bodies.length === 0) throw new ProtocolError('E_BAD_BODY', 'MPUB needs at least one message');
  let size = 4;
  for (const body of bodies) size += 4 + bodySize(body, 'E_BAD_MESSAGE');
  if (size > MAX_SIZE)
    throw new ProtocolError('E_BAD_BODY', `MPUB body of ${size} bytes exceeds ${MAX_SIZE}`);

  const line = `MPUB ${topic}\n`;
  const command = Buffer.allocUnsafe(line.length + 4 + size);
  command.write(line, 0, 'latin1');
  let at = command.writeUInt32BE(size, line.length);
  at = command.writeUInt32BE(bodies.length, at);
  for (const body of bodies) {
    const length = putBody(command, body, at + 4);
    command.writeUInt32BE(length, at);
    at += 4 + length;
  }
  return command;
}

/**
 * PUBs to one topic as one MPUB, in their order.
 * @param pubs as {@link encodePub} gave them, for `topic`; one at least
 */
export function joinPubs(topic: string, pubs: readonly Buffer[]): Buffer {
  const skipped = PUB_AND_NEWLINE + topic.length;
  let size = 4;
  for (const pub of pubs) size += pub.length - skipped;
  const line = `MPUB ${topic}\n`;
  const command = Buffer.allocUnsafe(line.length + 4 + size);
  command.write(line, 0, 'latin1');
  let at = command.writeUInt32BE(size, line.length);
  at = command.writeUInt32BE(pubs.length, at);
  for (const pub of pubs) at += pub.copy(command, at, skipped);
  return command;
}

export function encodeRdy(count: number): Buffer {
  if (!Number.isSafeInteger(count) || count < 0) {
    throw new ProtocolError('E_INVALID', `RDY count ${count} is not a whole number from 0 up`);
  }
  return Buffer.from(`RDY ${count}\n`, 'latin1');
}

/** @param id the message's id, 16 characters */
export function encodeFin(id: string): Buffer {
  return Buffer.from(`FIN ${checkId(id)}\n`, 'latin1');
}

/** @param delayMs how long the daemon holds the message back, in milliseconds */
export function encodeReq(id: string, delayMs: number): Buffer {
  return Buffer.from(`REQ ${checkId(id)} ${wholeMs(delayMs, 'REQ delay')}\n`, 'latin1');
}

export function encodeTouch(id: string): Buffer {
  return Buffer.from(`TOUCH ${checkId(id)}\n`, 'latin1');
}

/**
 * FIN without an allocation: writes {@link FIN_SIZE} bytes to `target` from `at`, taking the id's 16 bytes from
 * `source` at `idStart`. The caller has made sure that both have the room.
 */
export function writeFin(target: Buffer, at: number, source: Buffer, idStart: number): void {
  target[at] = F;
  target[at + 1] = I;
  target[at + 2] = N;
  target[at + 3] = SPACE;
  for (let i = 0; i < MESSAGE_ID_LENGTH; i++) target[at + 4 + i] = source[idStart + i]!;
  target[at + 4 + MESSAGE_ID_LENGTH] = NEWLINE;
}

/** The first line of a PUB, checked. It is the caller's to read only. */
function pubLine(topic: string): Buffer {
  const known = pubLines.get(topic);
  if (known) return known;
  checkTopic(topic);
  if (pubLines.size === MAX_PUB_LINES) pubLines.clear();
  const line = Buffer.allocUnsafeSlow(PUB_AND_NEWLINE + topic.length);
  line.write(`PUB ${topic}\n`, 'latin1');
  // A string of its own: the caller's may be a part of a large text, which it would keep.
  pubLines.set(line.toString('latin1', PUB_AND_NEWLINE - 1, line.length - 1), line);
  return line;
}

function checkTopic(topic: string): void {
  if (typeof topic !== 'string' || !isValidName(topic))
    throw new ProtocolError('E_BAD_TOPIC', `topic name ${JSON.stringify(topic)} is not valid`);
}

function checkChannel(channel: string): void {
  if (!isValidName(channel)) {
    throw new ProtocolError('E_BAD_CHANNEL', `channel name ${JSON.stringify(channel)} is not valid`);
  }
}

function checkId(id: string): string {
  if (id.length !== MESSAGE_ID_LENGTH || !/^[\x21-\x7e]+$/.test(id)) {
    throw new ProtocolError(
      'E_INVALID',
      `message id ${JSON.stringify(id)} is not ${MESSAGE_ID_LENGTH} characters`,
    );
  }
  return id;
}

function wholeMs(ms: number, what: string): number {
  const whole = Math.floor(ms);
  if (!Number.isSafeInteger(whole) || whole < 0) {
    throw new ProtocolError('E_INVALID', `${what} ${ms} is not a number of milliseconds from 0 up`);
  }
  return whole;
}

type BodyCode = 'E_BAD_BODY' | 'E_BAD_MESSAGE';

function bodySize(body: Body, code: BodyCode): number {
  if (typeof body !== 'string' && !(body instanceof Uint8Array)) {
    throw new ProtocolError(code, `a body must be a string or bytes, not ${describe(body)}`);
  }
  const size = typeof body === 'string' ? Buffer.byteLength(body) : body.byteLength;
  if (size === 0) throw new ProtocolError(code, 'an empty body cannot be sent');
  if (size > MAX_SIZE) throw new ProtocolError(code, `body of ${size} bytes exceeds ${MAX_SIZE}`);
  return size;
}

/** What a caller without types has passed. */
function describe(value: unknown): string {
  return typeof value === 'object' && value !== null ? 'an object: use JSON.stringify()' : String(value);
}

/** Writes the body at `at` and gives its length in bytes. */
function putBody(target: Buffer, body: Body, at: number): number {
  if (typeof body === 'string') return target.write(body, at);
  target.set(body, at);
  return body.byteLength;
}

/** `line | u32 size | body`, in one Buffer. `line` is ASCII. */
function withBody(line: string, body: Body, code: BodyCode): Buffer {
  const size = bodySize(body, code);
  const command = Buffer.allocUnsafe(line.length + 4 + size);
  command.write(line, 0, 'latin1');
  putBody(command, body, command.writeUInt32BE(size, line.length));
  return command;
}
