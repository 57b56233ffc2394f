import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { Broker } from '../../../../src/broker/broker.js';

/** Resolves when something is so that no event tells of. */
export async function until(holds: () => boolean, what: string, limit = 10_000): Promise<void> {
  for (const end = Date.now() + limit; !holds(); await wait(5)) {
    if (Date.now() > end) throw new Error(`never came true: ${what}`);
  }
}

/** Bytes of a topic's segment files. */
export function bytesOnDisk({ dataPath }: Broker, topic: string): number {
  const directory = join(dataPath, 'nsq-data', 'topics', `${topic}.topic`);
  const names = readdirSync(directory).filter((name) => name.endsWith('.log'));
  return names.reduce((sum, name) => sum + statSync(join(directory, name)).size, 0);
}

/** Numbered bodies of `size` bytes each. */
export function bodies(count: number, size: number, from = 0): string[] {
  return Array.from({ length: count }, (_, i) => `${from + i} `.padEnd(size, '.'));
}

export function numbersOf(list: readonly string[]): number[] {
  return list.map((body) => Number(body.split(' ')[0]));
}
