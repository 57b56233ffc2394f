/** @param {number} value */
function u32(value) {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/** @param {Buffer} body */
function sized(body) {
  return Buffer.concat([u32(body.length), body]);
}

export const MAGIC = Buffer.from('  V2');
export const NOP = Buffer.from('NOP\n');
export const CLS = Buffer.from('CLS\n');

/** @param {Record<string, unknown>} settings */
export function identify(settings) {
  return Buffer.concat([Buffer.from('IDENTIFY\n'), sized(Buffer.from(JSON.stringify(settings)))]);
}

/**
 * @param {string} topic
 * @param {string} channel
 */
export function sub(topic, channel) {
  return Buffer.from(`SUB ${topic} ${channel}\n`);
}

/** @param {number} count */
export function rdy(count) {
  return Buffer.from(`RDY ${count}\n`);
}

/**
 * @param {string} topic
 * @param {Buffer} body
 */
export function pub(topic, body) {
  return Buffer.concat([Buffer.from(`PUB ${topic}\n`), sized(body)]);
}

/**
 * An MPUB of `count` times the same body.
 * @param {string} topic
 * @param {Buffer} body
 * @param {number} count
 */
export function mpub(topic, body, count) {
  const bodies = Buffer.concat([u32(count), ...Array.from({ length: count }, () => sized(body))]);
  return Buffer.concat([Buffer.from(`MPUB ${topic}\n`), sized(bodies)]);
}

/**
 * A body that looks like text and does not repeat in the small.
 * @param {number} size
 */
export function body(size) {
  return Buffer.from(Array.from({ length: size }, (_, i) => 33 + ((i * 7919) % 94)));
}
