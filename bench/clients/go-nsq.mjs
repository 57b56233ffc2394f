import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

/**
 * A scenario by go-nsq: a program of its own, built from go-nsq/.
 * @param {string} program
 * @param {string} scenario
 * @param {import('../client.mjs').Load} load
 * @param {number} counted messages after which the clock stops
 * @returns {Promise<number>} messages a second
 */
export async function goNsq(program, scenario, load, counted) {
  const { stdout } = await run(program, [
    `-scenario=${scenario}`,
    `-address=${load.target.tcp}`,
    `-topic=${load.topic}`,
    `-messages=${load.times}`,
    `-counted=${counted}`,
    `-size=${load.body.length}`,
    `-batch=${load.batch}`,
    `-window=${load.window}`,
    `-in-flight=${load.inFlight}`,
  ]);
  return Number(stdout);
}
