import { ProtocolError } from './errors.js';
import { isValidName } from './names.js';

/**
 * What a broker sends to a lookupd, encoded (protocol V1). Every command is a line; IDENTIFY has a body behind it, as
 * `u32 size | JSON`.
 */

/** The first bytes of every connection to a lookupd: protocol version 1. */
export const LOOKUP_MAGIC: Buffer = Buffer.from('  V1');
export const LOOKUP_PING: Buffer = Buffer.from('PING\n');

/** Who a broker says it is: where clients reach it. Keys as they go over the wire. */
export interface LookupPeer {
  readonly hostname: string;
  /** Host name or address, without a port. */
  readonly broadcast_address: string;
  readonly tcp_port: number;
  readonly http_port: number;
  readonly version: string;
  readonly topology_zone?: string;
  readonly topology_region?: string;
}

export function encodeLookupIdentify(peer: LookupPeer): Buffer {
  const line = 'IDENTIFY\n';
  const body = Buffer.from(JSON.stringify(peer));
  const command = Buffer.allocUnsafe(line.length + 4 + body.length);
  command.write(line, 0, 'latin1');
  body.copy(command, command.writeUInt32BE(body.length, line.length));
  return command;
}

/** A topic, or a channel and with it its topic. @throws ProtocolError E_BAD_TOPIC or E_BAD_CHANNEL */
export function encodeRegister(topic: string, channel = ''): Buffer {
  return encodeLine('REGISTER', topic, channel);
}

/** A topic with all its channels, or one channel. @throws ProtocolError E_BAD_TOPIC or E_BAD_CHANNEL */
export function encodeUnregister(topic: string, channel = ''): Buffer {
  return encodeLine('UNREGISTER', topic, channel);
}

function encodeLine(command: string, topic: string, channel: string): Buffer {
  checkLookupNames(command, topic, channel);
  return Buffer.from(channel === '' ? `${command} ${topic}\n` : `${command} ${topic} ${channel}\n`, 'latin1');
}

/** No channel is `''`. @throws ProtocolError E_BAD_TOPIC or E_BAD_CHANNEL */
export function checkLookupNames(command: string, topic: string, channel: string): void {
  if (!isValidName(topic))
    throw new ProtocolError('E_BAD_TOPIC', `${command} topic name '${topic}' is not valid`);
  if (channel !== '' && !isValidName(channel))
    throw new ProtocolError('E_BAD_CHANNEL', `${command} channel name '${channel}' is not valid`);
}
