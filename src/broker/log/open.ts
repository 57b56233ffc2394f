import { dirname, join } from 'node:path';
import { BrokerError } from '../errors.js';
import type { Logger } from '../logger.js';
import { COMPACTED_SUFFIX } from './compaction.js';
import { type Files, readFully } from './files.js';
import { readFooter, writeFooter } from './footer.js';
import type { IdSource } from './id-source.js';
import { restoreEntries } from './new-entries.js';
import { scanSegment } from './scan.js';
import {
  isSegmentFileName,
  parseSegmentHeader,
  SEGMENT_HEADER_SIZE,
  type Segment,
  segmentFileName,
} from './segment.js';
import { SegmentList } from './segment-list.js';
import { isFileOrAside, setAside } from './set-aside.js';

/**
 * Opens the segment files of a topic's directory. A finished file is taken by its footer; one without is read, its torn
 * end cut off, and finished. What cannot be read at all is set aside under another name, never removed.
 * @throws BrokerError E_FORMAT if a later version wrote a file.
 */
export function openSegments(files: Files, directory: string, ids: IdSource, logger: Logger): SegmentList {
  const segments: Segment[] = [];
  const names = restoreEntries(files, directory);
  // What a crash left half written; the file that it was to replace is whole.
  for (const name of names.filter((it) => it.endsWith(COMPACTED_SUFFIX))) {
    const path = join(directory, name);
    if (isFileOrAside(files, path, logger)) files.unlinkSync(path);
  }
  const paths = names
    .filter(isSegmentFileName)
    .sort()
    .map((name) => join(directory, name))
    .filter((path) => isFileOrAside(files, path, logger));
  for (const path of paths) {
    const segment = openSegment(files, path, path === paths.at(-1), logger);
    const last = segments.at(-1);
    if (!segment) continue;
    if (last && (segment.firstN < last.endN || segment.basePos < last.endPos)) {
      setAside(files, segment.path, 'overlaps the file before it', logger);
      continue;
    }
    segments.push(segment);
  }
  return new SegmentList(ids, segments);
}

/** @param isNewest no file has later messages: it may be from the moment of a crash */
function openSegment(files: Files, path: string, isNewest: boolean, logger: Logger): Segment | undefined {
  const fd = files.openSync(path, 'r+');
  try {
    const { size: fileSize } = files.fstatSync(fd);
    const head = Buffer.alloc(SEGMENT_HEADER_SIZE);
    const have = readFully(files, fd, head, 0, SEGMENT_HEADER_SIZE, 0);
    const segment = parseSegmentHeader(path, head.subarray(0, have));
    if (segment === 'newer') {
      throw new BrokerError('E_FORMAT', `${path} was written by a later version of this program`);
    }
    if (!segment) {
      if (have === SEGMENT_HEADER_SIZE) setAside(files, path, 'has no readable header', logger);
      else if (isNewest) removeBegun(files, path, have, logger);
      else setAside(files, path, `has only ${have} bytes`, logger);
      return undefined;
    }
    if (path !== join(dirname(path), segmentFileName(segment.firstN, segment.seed))) {
      // After a power failure, a file that was written over may be found where it was before.
      setAside(files, path, 'is not the segment that its name says', logger);
      return undefined;
    }
    segment.sealed = true;
    const footer = readFooter(files, fd, fileSize, segment);
    if (footer !== 'whole') readBlocks(files, fd, fileSize, segment, footer === 'ended', logger);
    if (segment.endN === segment.firstN) {
      if (footer === 'none' && !isNewest) setAside(files, path, 'has no message that can be read', logger);
      else if (footer === 'none' && fileSize === SEGMENT_HEADER_SIZE)
        removeBegun(files, path, fileSize, logger);
      else files.unlinkSync(path);
      return undefined;
    }
    if (footer === 'whole') return segment;
    try {
      writeFooter(files, fd, segment);
    } catch (error) {
      // On a full disk consumers are to make room all the same; the next start reads the file again.
      logger.warn(`cannot finish ${path}`, { error });
    }
    return segment;
  } finally {
    files.closeSync(fd);
  }
}

/** @param isEnded the segment has the size and the end that its file's trailer says */
function readBlocks(
  files: Files,
  fd: number,
  fileSize: number,
  segment: Segment,
  isEnded: boolean,
  logger: Logger,
): void {
  const { path, endN, size } = segment;
  for (const damage of scanSegment(files, fd, fileSize, segment, isEnded ? { n: endN, size } : undefined)) {
    const { offset, bytes, messages } = damage;
    logger.error(`damaged block skipped: ${bytes} bytes at ${offset} of ${path}, ${messages} messages`);
  }
  const torn = fileSize - SEGMENT_HEADER_SIZE - segment.size;
  if (isEnded) logger.warn(`damaged index of ${path} made anew`);
  else if (torn > 0 && !segment.inUsedFile && segment.endN > segment.firstN)
    logger.warn(`torn end cut off: ${torn} bytes of ${path}`);
}

/** A file that was begun in the very moment of a crash has no message yet. */
function removeBegun(files: Files, path: string, bytes: number, logger: Logger): void {
  logger.warn(
    `${path} has only ${bytes} bytes and no message, as if begun in the moment of a crash: removed`,
  );
  files.unlinkSync(path);
}
