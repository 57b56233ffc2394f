import { parseArgs } from 'node:util';
import { median } from './lib/measure.mjs';
import { reason, targetFromFlags } from './lib/target-flags.mjs';
import { both, fanout } from './scenarios/both.mjs';
import { drain } from './scenarios/drain.mjs';
import { httpPub } from './scenarios/http-pub.mjs';
import { latency } from './scenarios/latency.mjs';
import { benchReader, benchWriter } from './scenarios/original-tools.mjs';
import { pub } from './scenarios/pub.mjs';
import { publish } from './scenarios/publish.mjs';
import { DEFAULTS } from './scenarios/scenario.mjs';

/** @type {Record<string, import('./scenarios/scenario.mjs').Scenario>} */
const SCENARIOS = { publish, drain, both, pub, fanout, 'http-pub': httpPub, latency };
/** @type {typeof SCENARIOS} */
const TOOLS = { 'bench-writer': benchWriter, 'bench-reader': benchReader };

const USAGE = `node bench/run.mjs SCENARIO… | all --a ADDRESS [--b ADDRESS] [options]

  scenarios: ${Object.keys(SCENARIOS).join(', ')}
  with --tools DIR, the original project's own: ${Object.keys(TOOLS).join(', ')}

  --a, --b ADDRESS          TCP address of a running daemon; with both, runs go A B A B …
  --a-http, --b-http        its HTTP address (default: the next port)
  --a-pid, --b-pid          its process id, to show its CPU
  --start-a, --start-b CMD  start the daemon here: a command line with {tcp}, {http} and {data}
  --runs N                  timed runs of each (default 5), after one run that does not count
  --json                    one line of JSON per scenario
  ${Object.entries(DEFAULTS)
    .filter(([, value]) => typeof value === 'number')
    .map(([name]) => `--${name} N`)
    .join(', ')}   sizes of the load`;

const string = /** @type {const} */ ({ type: 'string' });
const { values: flags, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    a: string,
    b: string,
    'a-http': string,
    'b-http': string,
    'a-pid': string,
    'b-pid': string,
    'start-a': string,
    'start-b': string,
    runs: { ...string, default: '5' },
    json: { type: 'boolean', default: false },
    messages: string,
    connections: string,
    size: string,
    batch: string,
    rdy: string,
    channels: string,
    rate: string,
    tools: string,
  },
});

/** @param {number} value */
function figure(value) {
  return value >= 1000 ? Math.round(value).toLocaleString('en') : value.toPrecision(3);
}

/** @param {number | undefined} share */
function percent(share) {
  return share === undefined ? '?' : `${Math.round(100 * share)} %`;
}

/** @param {string} name */
async function runScenario(name) {
  const scenario = SCENARIOS[name] ?? TOOLS[name];
  if (scenario === undefined) throw new Error(`no scenario ${name}\n\n${USAGE}`);
  const chosen = Object.keys(DEFAULTS).flatMap((key) => {
    const value = flags[/** @type {keyof typeof DEFAULTS} */ (key)];
    return value === undefined ? [] : [[key, key === 'tools' ? value : Number(value)]];
  });
  /** @type {import('./scenarios/scenario.mjs').Settings} */
  const settings = { ...DEFAULTS, ...scenario.defaults, ...Object.fromEntries(chosen) };
  const log = flags.json ? () => {} : console.log;
  log(`${name}: ${scenario.about}\n  ${JSON.stringify(settings)}`);

  /** @type {{ label: string, target: import('./lib/target-flags.mjs').Daemon, outcomes: import('./scenarios/scenario.mjs').Outcome[] }[]} */
  const sides = [];
  try {
    for (const side of /** @type {const} */ (['a', 'b'])) {
      const target = await targetFromFlags(flags, side);
      if (target !== undefined) sides.push({ label: side.toUpperCase(), target, outcomes: [] });
    }
    if (sides.length === 0) throw new Error(USAGE);
    for (const { target } of sides) {
      const messages = scenario.fullWarmup ? settings.messages : Math.ceil(settings.messages / 4);
      await scenario.run(target, { ...settings, messages });
    }
    for (let run = 1; run <= Number(flags.runs); run += 1) {
      for (const { label, target, outcomes } of sides) {
        const outcome = await scenario.run(target, settings);
        outcomes.push(outcome);
        const { generatorCpu, daemonCpu } = outcome.measured;
        const values = Object.entries(outcome.values).map(([key, value]) => `${key} ${figure(value)}`);
        const cpu = `CPU: daemon ${percent(daemonCpu)}, generator ${percent(generatorCpu)}`;
        log(`  ${label} run ${run}: ${values.join(', ')} ${scenario.unit} (${cpu})`);
      }
    }
  } finally {
    for (const { target } of sides) await target.stop?.();
  }

  const medians = sides.map(({ outcomes }) => {
    const keys = Object.keys(outcomes[0]?.values ?? {});
    return Object.fromEntries(
      keys.map((key) => [key, median(outcomes.map(({ values }) => values[key] ?? Number.NaN))]),
    );
  });
  const [a = {}, b] = medians;
  const ratios = b && Object.fromEntries(Object.keys(a).map((key) => [key, Number(a[key]) / Number(b[key])]));
  if (flags.json)
    console.log(JSON.stringify({ scenario: name, unit: scenario.unit, settings, a, b, ratios }));
  for (const [key, value] of Object.entries(a)) {
    const other = b && ratios ? `   B ${figure(Number(b[key]))}   A/B ${Number(ratios[key]).toFixed(2)}` : '';
    log(`  median ${key}, ${scenario.unit}: A ${figure(value)}${other}`);
  }
}

try {
  if (positionals.length === 0) throw new Error(USAGE);
  for (const name of positionals.includes('all') ? Object.keys(SCENARIOS) : positionals)
    await runScenario(name);
} catch (error) {
  console.error(reason(error));
  process.exit(1);
}
