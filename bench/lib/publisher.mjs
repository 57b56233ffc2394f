import { Connection } from './connection.mjs';

/**
 * Sends the same command over and over on each connection, one at a time per connection, until `times` were answered
 * in all.
 * @param {readonly Connection[]} connections
 * @param {Buffer} command
 * @param {number} times
 */
export async function repeat(connections, command, times) {
  let left = times;
  await Promise.all(
    connections.map((connection) => {
      /** @type {Promise<void>} */
      const done = new Promise((resolve) => {
        const next = () => {
          if (left > 0) {
            left -= 1;
            connection.send(command);
          } else resolve();
        };
        connection.handlers = { onOk: next };
        next();
      });
      return Promise.race([done, connection.failed]);
    }),
  );
}

/**
 * @param {string} address
 * @param {number} count
 */
export function openAll(address, count) {
  return Promise.all(Array.from({ length: count }, () => Connection.open(address)));
}
