/**
 * @typedef {object} Settings
 * @property {number} messages
 * @property {number} connections
 * @property {number} size of a message's body, bytes
 * @property {number} batch messages of an MPUB
 * @property {number} rdy of each consumer
 * @property {number} channels
 * @property {number} rate messages per second
 * @property {string} tools directory of the original project's load generators
 */

/**
 * @typedef {object} Outcome
 * @property {Record<string, number>} values the first one is the one that is compared
 * @property {import('../lib/measure.mjs').Measured} measured
 */

/**
 * @typedef {object} Scenario
 * @property {string} about
 * @property {string} unit
 * @property {Partial<Settings>} defaults
 * @property {boolean} [fullWarmup] the run that does not count has all the messages too, not a quarter
 * @property {(target: import('../lib/process.mjs').Target, settings: Settings) => Promise<Outcome>} run
 */

/** @type {Settings} */
export const DEFAULTS = {
  messages: 2_000_000,
  connections: 2,
  size: 200,
  batch: 200,
  rdy: 2500,
  channels: 10,
  rate: 1000,
  tools: '',
};

let topics = 0;

/** A topic that no other run has used. */
export function newTopic() {
  topics += 1;
  return `bench_${process.pid}_${Date.now().toString(36)}_${topics}`;
}
