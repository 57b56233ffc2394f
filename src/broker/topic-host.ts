import type { Channel } from './channel.js';
import type { StoragePart } from './limits/storage-health.js';
import type { Logger } from './logger.js';
import type { Scheduler } from './scheduler.js';
import type { BrokerSettings } from './settings.js';
import type { Topic } from './topic.js';
import type { Turn } from './turn.js';

/** What a topic needs of the broker it belongs to. */
export interface TopicHost {
  readonly settings: BrokerSettings;
  readonly scheduler: Scheduler;
  readonly turn: Turn;
  readonly logger: Logger;
  /** When a channel that is made now begins to time messages out, on the monotonic clock in ms. */
  timeoutsFrom(): number;
  /** A channel was made or is gone. */
  channelChanged(topic: Topic, channel: Channel, exists: boolean): void;
  /** An ephemeral topic has lost its last channel. */
  topicUnused(topic: Topic): void;
  /** What a write of a part of the topic to storage came to. */
  storageResult(topic: Topic, part: StoragePart, error: Error | undefined): void;
  /** Messages or journal entries were written that are not on stable storage yet. */
  wrote(topic: Topic): void;
}
