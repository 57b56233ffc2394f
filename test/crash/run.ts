import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { crash } from './harness/harness.js';

const USAGE = `npm run crash -- [--kills N] [--seed S] [--broker "COMMAND ..."]

Kills a broker N times (default 1000) while it works, and checks that no confirmed message is lost, none that was
finished comes again, and that order, attempts, pauses and counts are right. A run is made again with its seed.`;

const { values: flags } = parseArgs({
  options: {
    kills: { type: 'string', default: '1000' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    broker: { type: 'string', default: `${process.execPath} ${resolve('bin/run.js')} serve` },
    help: { type: 'boolean', short: 'h', default: false },
  },
});

if (flags.help) console.log(USAGE);
else {
  console.log(`seed ${flags.seed}`);
  const { faults, dataPath, ...counts } = await crash({
    kills: Number(flags.kills),
    seed: Number(flags.seed),
    command: flags.broker.split(' '),
    keep: true,
    progress: (text) => console.log(text),
  });
  console.log(counts);
  for (const fault of faults) console.error(fault);
  console.log(faults.length === 0 ? 'no faults' : `${faults.length} faults; the data is in ${dataPath}`);
  process.exitCode = faults.length === 0 ? 0 : 1;
}
