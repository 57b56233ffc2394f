import { booleanParam } from '../../http/query.js';
import type { Answer } from '../../http/route.js';
import type { Broker } from '../broker.js';
import { memoryStats } from '../stats/memory.js';
import { collectStats } from '../stats/stats.js';
import { statsText } from '../stats/text.js';
import type { Request } from './routes.js';

/** GET /stats[?format=json][&topic=…][&channel=…][&include_clients=…][&include_mem=…] */
export function stats({ broker, query }: Request): Answer {
  const collected = collectStats(broker, {
    topic: query.get('topic') ?? '',
    channel: query.get('channel') ?? '',
    clients: booleanParam(query, 'include_clients', true),
  });
  const memory = booleanParam(query, 'include_mem', true) ? memoryStats() : undefined;
  if (query.get('format') !== 'json') return statsText(broker, collected, memory);
  return {
    json: {
      version: broker.version,
      health: broker.health,
      start_time: startTime(broker),
      topics: collected.topics,
      ...(memory && { memory }),
      producers: collected.producers,
    },
  };
}

function startTime(broker: Broker): number {
  return Math.floor(broker.startedAt / 1000);
}
