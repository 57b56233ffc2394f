import { expect, it } from 'vitest';
import { countsOf, openBroker, restart } from './support/brokers.js';

it('deferred in paused topic', async () => {
  let broker = await openBroker();
  const t = broker.topic('t');
  t.channel('a');
  await broker.publish('t', 'A', { deferMs: 3600000 });
  t.pause(true);
  await broker.publish('t', 'B', { deferMs: 3600000 });
  broker = await restart(broker);
  broker.topic('t').channel('a').pause(true);
  broker.turn.run();
  broker.topic('t').channel('a').pause(false);
  broker.topic('t').pause(false);
  broker.turn.run();
  expect(countsOf(broker.topic('t').channel('a'))).toEqual({ depth: 0, inFlight: 0, deferred: 2 });
  broker = await restart(broker);
  expect(countsOf(broker.topic('t').channel('a'))).toEqual({ depth: 0, inFlight: 0, deferred: 2 });
});
