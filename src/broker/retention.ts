import type { Segment } from './log/segment.js';
import type { Slab } from './log/slab.js';
import type { Topic } from './topic.js';

/** Bytes of a segment that is still being written from which on it is removed once everything in it is finished. */
const EARLY_SEAL = 16 * 1024 * 1024;

/** Lets go of what no channel of a topic needs any more: slabs in memory, segments on disk. */
export class Retention {
  readonly #topic: Topic;

  constructor(topic: Topic) {
    this.#topic = topic;
  }

  /** A channel has passed the slab: it goes once all have. */
  slabPassed(slab: Slab): void {
    const { channels, log } = this.#topic;
    for (const channel of channels.values()) if (channel.cursor < slab.endN) return;
    log.releaseSlab(slab);
  }

  /** Nothing is outstanding in this segment; it goes if everything in it was taken too. */
  segmentIdle(segment: Segment): void {
    if (segment.sealed || segment.size >= EARLY_SEAL) this.#removeIfIdle(segment);
  }

  /** Removes every segment that nothing needs any more. @param isNews the journal may have yet to say why */
  trim(isNews = true): void {
    for (const segment of [...this.#topic.log.segments]) this.#removeIfIdle(segment, EARLY_SEAL, isNews);
  }

  /** Removes every segment that nothing needs, the one being written too, however small it is: room is short. */
  reclaim(): void {
    for (const segment of [...this.#topic.log.segments]) {
      if (segment.size > 0) this.#removeIfIdle(segment, 0);
    }
  }

  #removeIfIdle(segment: Segment, earlySeal = EARLY_SEAL, isNews = true): void {
    const { log, channels, pumped, closed } = this.#topic;
    if (closed || segment.removed || segment.outstanding > 0 || segment.endN > pumped) return;
    for (const channel of channels.values()) if (channel.needs(segment.firstN, segment.endN)) return;
    if (!segment.sealed) {
      if (segment.size < earlySeal || log.dirty) return;
      log.seal();
    }
    // Killed in between, the next start would miss what was finished.
    if (isNews) this.#topic.writeJournal();
    log.removeSegment(segment);
  }
}
