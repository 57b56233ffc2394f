import { expect, test } from 'vitest';
import { type Place, proximityOf } from '../../../src/broker/delivery/proximity.js';

const at = (topologyZone: string, topologyRegion: string): Place => ({ topologyZone, topologyRegion });

test.each([
  ['the zone', at('a', 'eu'), at('a', 'eu'), 'zone'],
  ['the zone, and it says nothing of its region', at('a', ''), at('a', 'eu'), 'zone'],
  ['the zone of another region, as with nsqd', at('a', 'us'), at('a', 'eu'), 'zone'],
  ['another zone of the region', at('b', 'eu'), at('a', 'eu'), 'region'],
  ['the region', at('', 'eu'), at('a', 'eu'), 'region'],
  ['elsewhere', at('b', 'us'), at('a', 'eu'), 'global'],
  ['a zone of another case', at('A', ''), at('a', 'eu'), 'global'],
  ['it says nothing', at('', ''), at('a', 'eu'), 'global'],
  ['neither says anything', at('', ''), at('', ''), 'global'],
  ['the broker has no zone', at('', 'eu'), at('', 'eu'), 'region'],
  ['the broker has no region', at('b', ''), at('a', ''), 'global'],
])('%s', (_, consumer, broker, expected) => {
  expect(proximityOf(consumer, broker)).toBe(expected);
});
