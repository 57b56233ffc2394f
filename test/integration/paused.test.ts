import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { until } from '../broker/limits/support/limits.js';
import { lockOf, replaceLock, STRANGERS_LOCK } from '../broker/support/lock-files.js';
import { Daemon } from '../support/daemon.js';
import { RawClient } from '../support/raw-client.js';
import { sized } from '../support/wire.js';

it('a broker that was stopped while another one took its data path over ends, and confirms nothing more', async () => {
  const daemon = await Daemon.start();
  const lock = lockOf(daemon.dataPath);
  const client = await RawClient.connect(daemon.tcpAddress);
  expect(await client.request('PUB t\n', sized('confirmed'))).toBe('OK');
  process.kill(daemon.pid, 'SIGSTOP');
  // It renews its lock every second.
  await until(() => Date.now() - statSync(lock).mtimeMs > 1500, 'it stands still');
  client.send('PUB t\n', sized('lost'));
  replaceLock(lock);
  process.kill(daemon.pid, 'SIGCONT');

  expect(await daemon.exited).toBe(1);
  await expect(client.next()).rejects.toThrow('no frame came');
  const path = `data path '${daemon.dataPath}'`;
  expect(daemon.output).toContain(`error: ${path} was taken over by process 4711 on host elsewhere.`);
  expect(readFileSync(lock, 'utf8')).toBe(STRANGERS_LOCK);
  const topic = join(daemon.dataPath, 'nsq-data', 'topics', 't.topic');
  const [log] = readdirSync(topic).filter((name) => name.endsWith('.log'));
  const bytes = readFileSync(join(topic, log!), 'latin1');
  expect([bytes.includes('confirmed'), bytes.includes('lost'), bytes.includes('NSQFOOT')]).toEqual([
    true,
    false,
    false,
  ]);
});
