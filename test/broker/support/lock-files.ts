import { renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** A process of another container or machine. */
const STRANGER = { pid: 4711, started: '5', boot: 'b', processes: 'p', host: 'elsewhere' };
export const STRANGERS_LOCK = JSON.stringify(STRANGER);

export function lockOf(dataPath: string): string {
  return join(dataPath, 'nsq-data', 'lock');
}

/** As another broker does that takes the lock over: its own file is there at once. */
export function replaceLock(path: string, content = STRANGERS_LOCK): void {
  const made = join(dirname(path), 'lock.made');
  writeFileSync(made, content);
  renameSync(made, path);
}
