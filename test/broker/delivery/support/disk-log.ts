import { type Files, REAL_FILES } from '../../../../src/broker/log/files.js';
import { IdSource } from '../../../../src/broker/log/id-source.js';
import { RECORD_OVERHEAD, recordLength } from '../../../../src/broker/log/record.js';
import { SegmentList } from '../../../../src/broker/log/segment-list.js';
import { SlabCache } from '../../../../src/broker/log/slab-cache.js';
import { TopicLog } from '../../../../src/broker/log/topic-log.js';
import { SILENT } from '../../../../src/broker/logger.js';
import { cleanup, tempDir } from '../../../support/temp.js';

export interface DiskLogOptions {
  cacheSize?: number;
  maxBytesPerFile?: number;
  files?: Files;
}

/** An empty log in a temporary directory; it goes with the test. */
export function diskLog({
  cacheSize = 1 << 26,
  maxBytesPerFile = 1 << 30,
  files = REAL_FILES,
}: DiskLogOptions = {}): TopicLog {
  const context = { files, cache: new SlabCache(cacheSize), logger: SILENT, maxBytesPerFile };
  const log = new TopicLog(context, tempDir(), new SegmentList(new IdSource(1), []));
  cleanup(() => log.abandon());
  return log;
}

/** The body of the record that begins at `at`. */
export function bodyAt(buf: Buffer, at: number): string {
  return buf.toString('latin1', at + RECORD_OVERHEAD, at + recordLength(buf, at));
}
