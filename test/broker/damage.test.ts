import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { Broker } from '../../src/broker/broker.js';
import { until } from './limits/support/limits.js';
import { countsOf, openBroker } from './support/brokers.js';
import { consume, settled, subscribe } from './support/clients.js';

/** Damages the one message with this body in the files of topic `t`. */
function damage({ dataPath }: Broker, body: string): void {
  const directory = join(dataPath, 'nsq-data', 'topics', 't.topic');
  for (const name of readdirSync(directory).filter((it) => it.endsWith('.log'))) {
    const bytes = readFileSync(join(directory, name));
    const at = bytes.indexOf(body);
    if (at === -1) continue;
    bytes[at]! ^= 1;
    writeFileSync(join(directory, name), bytes);
    return;
  }
  throw new Error(`no '${body}' in ${directory}`);
}

it('a deferred message that is damaged is counted once, and leaves the counts of the others right', async () => {
  const first = await openBroker();
  first.topic('t').channel('c');
  await first.publish('t', 'before');
  await first.publish('t', 'deferred', { deferMs: 1500 });
  await first.publish('t', 'after');
  await first.close();
  damage(first, 'deferred');
  const broker = await openBroker({ dataPath: first.dataPath });
  const channel = broker.topic('t').channel('c');
  expect(countsOf(channel)).toEqual({ depth: 2, inFlight: 0, deferred: 1 });
  const client = await subscribe(broker, 't', 'c', { ready: 5 });
  expect(await consume(client, 2)).toEqual(['before', 'after']);
  await settled(client);
  expect(countsOf(channel)).toEqual({ depth: 0, inFlight: 0, deferred: 1 });
  expect(channel.lostCount).toBe(0);
  await until(() => channel.lostCount === 1, 'found out when it is due');
  expect(countsOf(channel)).toEqual({ depth: 0, inFlight: 0, deferred: 0 });
  await broker.publish('t', 'next');
  expect(await consume(client, 1)).toEqual(['next']);
});
