import { FRAME_HEADER_SIZE } from './frame.js';
import { ATTEMPTS_OFFSET, BODY_OFFSET, ID_OFFSET, MESSAGE_ID_LENGTH, TIMESTAMP_OFFSET } from './message.js';

/** Where the fields lie in a message frame's data, counted from the data's first byte. */
const TIMESTAMP = TIMESTAMP_OFFSET - FRAME_HEADER_SIZE;
const ATTEMPTS = ATTEMPTS_OFFSET - FRAME_HEADER_SIZE;
const ID = ID_OFFSET - FRAME_HEADER_SIZE;
const BODY = BODY_OFFSET - FRAME_HEADER_SIZE;

/** A message frame whose data are too short to hold a message. */
export class MessageError extends Error {
  override readonly name = 'MessageError';
  readonly code = 'E_MESSAGE_SIZE';
}

/**
 * A received message, read in place from a message frame's data, field by field when asked: `bytes[start, end)` must
 * stay as it is for as long as the message is in use.
 */
export class MessageData {
  /** @internal */
  protected readonly bytes: Buffer;
  readonly #start: number;
  readonly #end: number;
  #body: Buffer | undefined;

  /** @throws MessageError when the data are shorter than an empty message */
  constructor(bytes: Buffer, start = 0, end = bytes.length) {
    if (end - start < BODY) throw new MessageError(`message of ${end - start} bytes is shorter than ${BODY}`);
    this.bytes = bytes;
    this.#start = start;
    this.#end = end;
  }

  /** When the daemon took the message, in nanoseconds since 1970. */
  get timestamp(): bigint {
    return this.bytes.readBigInt64BE(this.#start + TIMESTAMP);
  }

  /** How often the message has been handed out, this time included. */
  get attempts(): number {
    return this.bytes.readUInt16BE(this.#start + ATTEMPTS);
  }

  /** The message's id, 16 characters, unique within its topic on its daemon. */
  get id(): string {
    return this.bytes.toString('latin1', this.idStart, this.idStart + MESSAGE_ID_LENGTH);
  }

  /** The content, as a view of the bytes received: copy it to keep it for long. */
  get body(): Buffer {
    this.#body ??= this.bytes.subarray(this.#start + BODY, this.#end);
    return this.#body;
  }

  /** Offset of the id's 16 bytes in `bytes`. @internal */
  protected get idStart(): number {
    return this.#start + ID;
  }
}
