import { Channel } from './channel.js';
import type { Logger } from './logger.js';
import { Missing } from './missing.js';
import type { TopicState } from './state/topic-state.js';
import type { Topic } from './topic.js';

/** Makes a topic's channels as its journal has them, and says what its files are found not to have of that. */
export function restoreChannels(topic: Topic, state: TopicState, logger: Logger): Missing {
  const { log, channels } = topic;
  const logEnd = log.endN;
  // What was lost with the machine's power, or removed to the end: no number is given twice.
  log.beginAt(state.highest);
  const missing = new Missing(state, log.segments, logEnd);
  missing.report(topic.name, logger);
  topic.pumped = state.waits ? missing.startOf(state.pumped) : log.endN;
  for (const channelState of state.channels.values()) {
    const { id, name, cursor } = channelState;
    const channel = new Channel(topic, id, name, missing.startOf(cursor), 0);
    channels.set(name, channel);
    channel.restore(channelState, missing);
  }
  return missing;
}
