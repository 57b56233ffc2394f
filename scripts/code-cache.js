// Runs commands against brokers of its own and keeps what V8 made of their code, for bin/run.js to load.
// The one that is to start soonest comes last: modules that several commands share keep what it needs.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { startBroker } from '../dist/broker/index.js';

const recorder = fileURLToPath(new URL('record-code.cjs', import.meta.url));

const broker = await startBroker({ httpAddress: '127.0.0.1:0' });
await broker.publish('warm', ['a', 'b']);
const tcp = `--nsqd-tcp-address=${broker.tcpAddress}`;
const runs = [
  ['--help'],
  ['stat', `--nsqd-http-address=${broker.httpAddress}`, '--count=1'],
  ['tail', '--topic=warm', '--channel=warm', '-n=1', tcp],
  ['pub', '--topic=warm', tcp, 'c'],
];
for (const args of runs) {
  const child = spawn(process.execPath, [recorder, ...args], { stdio: ['ignore', 'ignore', 'pipe'] });
  const [[code], words] = await Promise.all([once(child, 'close'), text(child.stderr)]);
  if (code !== 0) throw new Error(`nsq ${args.join(' ')} ended with ${code}: ${words}`);
}
await broker.close();
