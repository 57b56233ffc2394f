import { setImmediate as nextTurn } from 'node:timers/promises';

/** What nsqd's buffer has when it is given no size. */
const DEFAULT_SIZE = 4096;
/** More does not go into a UDP packet over IPv4. */
const LARGEST = 65_507;
/** Lines of one turn of the event loop: a broker may have ten thousand channels with eight each. */
const LINES_PER_TURN = 1000;

/** Whole lines in packets of at most `size` bytes, in their order; a longer line is a packet by itself. */
export async function packetsOf(lines: Iterable<string>, size: number): Promise<Buffer[]> {
  const most = size === 0 ? DEFAULT_SIZE : Math.min(size, LARGEST);
  const packets: Buffer[] = [];
  let packet = '';
  let length = 0;
  let count = 0;
  for (const line of lines) {
    const bytes = Buffer.byteLength(line);
    if (length > 0 && length + bytes > most) {
      packets.push(Buffer.from(packet));
      packet = '';
      length = 0;
    }
    packet += line;
    length += bytes;
    if (++count % LINES_PER_TURN === 0) await nextTurn();
  }
  if (length > 0) packets.push(Buffer.from(packet));
  return packets;
}
