import { expect, it } from 'vitest';
import { BLOCK_HEADER_SIZE } from '../../../src/broker/log/block.js';
import { RECORD_OVERHEAD } from '../../../src/broker/log/record.js';
import { openBroker } from '../support/brokers.js';
import { bodies } from './support/limits.js';

it('with reject, what was taken is never dropped, however many blocks a publish is cut into', async () => {
  const count = 10;
  const size = 60_000;
  const first = 200_000;
  const atLeast = first + count * size + (count + 1) * (RECORD_OVERHEAD + 4);
  const outcomes = new Set<string>();
  for (let spare = 0; spare < 600; spare += 20) {
    const maxTopicBytes = atLeast + spare;
    const broker = await openBroker({ maxTopicBytes, onLimit: 'reject' });
    const topic = broker.topic('t');
    const channel = topic.channel('c');
    await broker.publish('t', 'x'.repeat(first));
    const taken = await broker.publish('t', bodies(count, size)).then(
      () => count,
      () => 0,
    );
    outcomes.add(taken > 0 ? 'taken' : 'refused');
    expect([spare, channel.droppedCount, channel.depth]).toEqual([spare, 0, 1 + taken]);
    const used = [...topic.log.segments].reduce((sum, segment) => sum + segment.size, 0);
    expect(used).toBeLessThanOrEqual(maxTopicBytes);
    await broker.close();
  }
  expect([...outcomes].sort()).toEqual(['refused', 'taken']);
  expect(BLOCK_HEADER_SIZE * count).toBeLessThan(600);
});
