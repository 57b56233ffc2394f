import { expect, test } from 'vitest';
import type { BrokerOptions, Experiment } from '../../src/broker/settings.js';
import { openBroker } from './support/brokers.js';

async function warningsOf(options: BrokerOptions): Promise<string[]> {
  const warnings: string[] = [];
  const ignore = (): void => {};
  const logger = { debug: ignore, info: ignore, warn: (line: string) => warnings.push(line), error: ignore };
  await openBroker({ ...options, logger });
  return warnings;
}

const TOPOLOGY: Experiment = 'topology-aware-consumption';
const NO_PLACE = `${TOPOLOGY} has no effect without --topology-zone or --topology-region`;

test.each<[string, BrokerOptions, string[]]>([
  ['none', {}, []],
  ['one, with a zone', { experiments: [TOPOLOGY], topologyZone: 'a' }, []],
  ['one, with a region', { experiments: [TOPOLOGY], topologyRegion: 'eu' }, []],
  ['one that needs to know where the broker is', { experiments: [TOPOLOGY] }, [NO_PLACE]],
  [
    'one that there is not',
    { experiments: ['bogus' as Experiment] },
    [`there is no experiment "bogus", only ${TOPOLOGY}: it is ignored`],
  ],
])('what is warned of: %s', async (_, options, expected) => {
  expect(await warningsOf(options)).toEqual(expected);
});
