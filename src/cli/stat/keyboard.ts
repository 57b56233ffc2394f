import type { ReadStream } from 'node:tty';

/** Rows to move by, or to end. */
export type Key = number | 'end';

const MOVES: Readonly<Record<string, (page: number) => number>> = {
  '\x1b[A': () => -1,
  '\x1bOA': () => -1,
  k: () => -1,
  '\x1b[B': () => 1,
  '\x1bOB': () => 1,
  j: () => 1,
  '\x1b[5~': (page) => -page,
  '\x1b[6~': (page) => page,
  ' ': (page) => page,
  '\x1b[H': () => Number.NEGATIVE_INFINITY,
  g: () => Number.NEGATIVE_INFINITY,
  '\x1b[F': () => Number.POSITIVE_INFINITY,
  G: () => Number.POSITIVE_INFINITY,
};
// biome-ignore lint/suspicious/noControlCharactersInRegex: a key that is no letter begins with ESC
const KEYS = /\x1b(?:\[[\d;]*[A-Za-z~]|O.)|./gs;
const CONTROL_C = '\x03';
const CONTROL_Z = '\x1a';

/**
 * Listens to the keys of a terminal, one by one and unseen. Control-C and Control-Z stay what they are.
 * @param page rows that a page key moves by
 * @returns what stops it
 */
export function listenToKeys(stdin: ReadStream, page: () => number, press: (key: Key) => void): () => void {
  if (!stdin.isTTY) return () => {};
  const onKey = (text: string): void => {
    if (text === CONTROL_C) process.kill(process.pid, 'SIGINT');
    else if (text === CONTROL_Z) process.kill(process.pid, 'SIGTSTP');
    else if (text === 'q' || text === 'Q') press('end');
    else {
      const move = MOVES[text]?.(page());
      if (move !== undefined) press(move);
    }
  };
  const onData = (data: Buffer | string): void => {
    for (const [key] of data.toString().matchAll(KEYS)) onKey(key);
  };
  const raw = (): void => {
    stdin.setRawMode(true);
  };
  const cooked = (): void => {
    stdin.setRawMode(false);
  };
  raw();
  stdin.on('data', onData);
  stdin.resume();
  process.on('SIGTSTP', cooked).on('SIGCONT', raw).on('exit', cooked);
  return () => {
    process.off('SIGTSTP', cooked).off('SIGCONT', raw).off('exit', cooked);
    stdin.off('data', onData);
    stdin.pause();
    cooked();
  };
}
