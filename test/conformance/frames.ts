import { expect } from 'vitest';
import type { Collected } from '../support/raw-client.js';
import type { RawFrame } from '../support/wire.js';
import type { WantedFrame } from './recording.js';
import { comparable } from './values.js';

/** What an answer says of the machine and not of the protocol. */
const MACHINE_FIELDS: ReadonlySet<string> = new Set([
  'version',
  'hostname',
  'broadcast_address',
  'tcp_port',
  'http_port',
  'start_time',
  'remote_address',
]);

/** How far a message's timestamp may lie from now. */
const NEAR_NOW_MS = 60_000;

function parseResponse(text: string): unknown {
  if (!text.startsWith('{')) return text;
  const fields = Object.entries(JSON.parse(text) as Record<string, unknown>);
  return Object.fromEntries(fields.filter(([name]) => !MACHINE_FIELDS.has(name)));
}

function recorded(frame: RawFrame): WantedFrame {
  if (frame.type === 'response') return { response: parseResponse(frame.text) };
  if (frame.type === 'error') return { error: frame.code };
  expect(frame.id, 'message id').toMatch(/^[0-9a-f]{16}$/);
  const age = Math.abs(Date.now() - Number(frame.timestamp / 1_000_000n));
  expect(age, 'distance of the message timestamp from now, ms').toBeLessThan(NEAR_NOW_MS);
  return { message: frame.body.toString('latin1'), attempts: frame.attempts };
}

function sorted(frames: readonly WantedFrame[]): readonly WantedFrame[] {
  return [...frames].sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
}

/** Fails unless the frames are the wanted ones, and the connection was closed or not as wanted. */
export function compareFrames(
  wanted: { readonly frames: readonly WantedFrame[]; readonly closed: boolean },
  got: Collected,
  unordered: boolean,
): void {
  const order = unordered ? sorted : (frames: readonly WantedFrame[]) => frames;
  expect({ frames: comparable(order(got.frames.map(recorded))), closed: got.closed }).toEqual({
    frames: comparable(order(wanted.frames)),
    closed: wanted.closed,
  });
}
