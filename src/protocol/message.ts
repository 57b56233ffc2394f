import { FRAME_HEADER_SIZE } from './frame.js';

/**
 * A message frame's data: `i64 timestamp (ns) | u16 attempts | 16 bytes id | body` (TCP protocol specification).
 * A record of a topic's log is the whole frame in that form, so the offsets here are from the frame's first byte.
 */
export const MESSAGE_ID_LENGTH = 16;
export const TIMESTAMP_OFFSET = FRAME_HEADER_SIZE;
export const ATTEMPTS_OFFSET = TIMESTAMP_OFFSET + 8;
export const ID_OFFSET = ATTEMPTS_OFFSET + 2;
export const BODY_OFFSET = ID_OFFSET + MESSAGE_ID_LENGTH;

/** The longest count of attempts that fits the message's u16. */
export const MAX_ATTEMPTS = 0xffff;
