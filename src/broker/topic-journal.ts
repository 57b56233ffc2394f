import type { TopicWrites } from './limits/topic-writes.js';
import type { Journal } from './state/journal.js';
import { EntryWriter } from './state/journal-entries.js';
import type { Topic } from './topic.js';

const NO_ENTRIES = new EntryWriter();

/** Makes a topic's journal. @param snapshot writes entries that say everything that is so at the moment */
export type MakeJournal = (snapshot: (into: EntryWriter) => void) => Journal;

/** What a topic tells its journal, and when; a topic in memory has none. */
export class TopicJournal {
  readonly #topic: Topic;
  readonly #writes: TopicWrites;
  readonly #journal: Journal | undefined;
  /** What the journal was last told of `pumped`; it needs to know while no channel of its own says more. */
  #notedPumped = 0;

  constructor(topic: Topic, writes: TopicWrites, make: MakeJournal | undefined) {
    this.#topic = topic;
    this.#writes = writes;
    this.#journal = make?.((into) => this.#snapshot(into));
  }

  /** Entries that are written at the end of the turn. */
  get entries(): EntryWriter {
    if (!this.#journal) {
      NO_ENTRIES.clear();
      return NO_ENTRIES;
    }
    this.#topic.turn.journal(this.#topic);
    return this.#journal.entries;
  }

  /** Something was written that is not on stable storage yet. */
  get unsynced(): boolean {
    return this.#journal?.unsynced ?? false;
  }

  /** Messages were passed to the channels. */
  pumped(): void {
    if (this.#journal) this.#topic.turn.journal(this.#topic);
  }

  /** Says how the topic is. */
  note(): void {
    if (!this.#journal) return;
    const { paused, held, pumped } = this.#topic;
    this.#notedPumped = pumped;
    this.entries.topic(paused, pumped, held);
  }

  /** Writes the entries so far. */
  write(): void {
    if (!this.#journal) return;
    let journaled = false;
    for (const channel of this.#topic.channels.values()) {
      if (!channel.journaled) continue;
      channel.report(this.#journal.entries);
      journaled = true;
    }
    if (!journaled && this.#notedPumped !== this.#topic.pumped) this.note();
    this.#writes.journal(this.#journal);
  }

  /** @param done called at once where there is nothing to sync */
  sync(done: (error: Error | null) => void): void {
    if (this.#journal && !this.#topic.closed) this.#journal.sync(done);
    else done(null);
  }

  /** A sync of the topic's directory failed. */
  doubtEntry(): void {
    this.#journal?.doubtEntry();
  }

  /** Puts everything on stable storage and closes the file. Resolves with what hindered that. */
  async end(): Promise<Error | undefined> {
    return this.#journal?.end();
  }

  close(): void {
    this.#journal?.close();
  }

  #snapshot(into: EntryWriter): void {
    const { paused, held, pumped, channels } = this.#topic;
    this.#notedPumped = pumped;
    into.topic(paused, pumped, held);
    for (const channel of channels.values()) if (channel.journaled) channel.snapshot(into);
  }
}
