/**
 * A publishing client library: `done` is called with an error, or with nothing.
 * @typedef {object} BenchProducer
 * @property {(topic: string, body: Buffer, done: (error?: unknown) => void) => void} publish
 * @property {(topic: string, bodies: readonly Buffer[], done: (error?: unknown) => void) => void} publishBatch
 * @property {() => Promise<void>} close
 */

/**
 * A client library under measurement.
 * @typedef {object} Client
 * @property {string} name
 * @property {(address: string) => Promise<BenchProducer>} producer connected
 * @property {(address: string, topic: string, channel: string, inFlight: number, onMessage: () => void) => Promise<{ close: () => Promise<void> }>} consumer
 *   finishes every message after `onMessage`
 */

/**
 * Calls `start` so that `window` calls are under way at any time, until `times` have succeeded.
 * @param {number} times
 * @param {number} window
 * @param {(done: (error?: unknown) => void) => void} start
 * @returns {Promise<void>}
 */
export function keepUnderWay(times, window, start) {
  return new Promise((resolve, reject) => {
    let started = 0;
    let finished = 0;
    const done = (/** @type {unknown} */ error) => {
      if (error) reject(error);
      finished += 1;
      if (finished === times) resolve();
      else next();
    };
    const next = () => {
      if (started === times) return;
      started += 1;
      start(done);
    };
    for (let i = 0; i < Math.min(window, times); i += 1) next();
  });
}
