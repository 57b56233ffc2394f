import { join } from 'node:path';
import { type Files, readFully } from '../log/files.js';
import type { Segment } from '../log/segment.js';
import { isFileOrAside, setAside } from '../log/set-aside.js';
import type { Logger } from '../logger.js';
import { JOURNAL_MAGIC, replay } from './journal-replay.js';
import { TopicState } from './topic-state.js';

const NAME = /^journal\.(\d{10})$/;
const UNKNOWN = "the topic's channels are not known, all its messages go to the first that is made";

export function journalName(generation: number): string {
  return `journal.${String(generation).padStart(10, '0')}`;
}

/** -1 for what is no journal's name. */
export function generationOf(name: string): number {
  return Number(NAME.exec(name)?.[1] ?? -1);
}

/**
 * Reads a topic's state from the newest journal of which a snapshot is readable. If none is, nothing is known, which the
 * log is told; those that there are, are set aside under another name, never removed.
 * @param segments those of the topic: what they hold tells whether there should be a journal
 */
export function readJournal(
  files: Files,
  directory: string,
  segments: Iterable<Segment>,
  logger: Logger,
): { state: TopicState; generation: number } {
  const generations = files
    .readdirSync(directory)
    .map(generationOf)
    .filter((it) => it >= 0 && isFileOrAside(files, join(directory, journalName(it)), logger))
    .sort((a, b) => b - a);
  const contents = generations.map((it) => contentOf(files, join(directory, journalName(it))));
  const generation = generations[0] ?? 0;
  for (const content of contents) {
    const state = replay(content, logger);
    if (state) return { state, generation };
  }
  // One that was only begun has nothing to say.
  const unreadable = contents.filter(({ buf }) => buf.length > JOURNAL_MAGIC.length);
  for (const { path } of unreadable) setAside(files, path, `is not readable, ${UNKNOWN}`, logger);
  if (unreadable.length === 0) tellOfNone(directory, contents[0], [...segments], logger);
  return { state: new TopicState(), generation };
}

interface Content {
  readonly path: string;
  readonly buf: Buffer;
}

function contentOf(files: Files, path: string): Content {
  const fd = files.openSync(path, 'r');
  try {
    const { size } = files.fstatSync(fd);
    const buf = Buffer.allocUnsafeSlow(size);
    return { path, buf: buf.subarray(0, readFully(files, fd, buf, 0, size, 0)) };
  } finally {
    files.closeSync(fd);
  }
}

/** A topic has a journal before it has a segment. Only versions before this one began it with the first channel. */
function tellOfNone(
  directory: string,
  begun: Content | undefined,
  segments: readonly Segment[],
  logger: Logger,
): void {
  if (segments.length === 0) return;
  const what = begun ? `${begun.path} has only ${begun.buf.length} bytes` : `${directory} has no journal`;
  if (segments.some(({ hasJournal }) => hasJournal)) logger.error(`${what}: ${UNKNOWN}`);
  else if (begun) logger.warn(`${what}: if the topic had channels, they are not known`);
}
