import { expect, test } from 'vitest';
import { OPTION_SPECS, startBroker } from '../../src/broker/index.js';
import { withFlagNames } from '../../src/cli/daemon-settings.js';
import { startLookupd } from '../../src/lookupd/index.js';

async function failure(start: Promise<unknown>): Promise<unknown> {
  return withFlagNames(OPTION_SPECS, await start.catch((error: unknown) => error));
}

test("a daemon's complaint about an option names its flag", async () => {
  expect(await failure(startLookupd({ tcpAddress: 'nonsense' }))).toMatchObject({
    code: 'E_USAGE',
    message: "--tcp-address must be <addr>:<port> or a path with a slash, not 'nonsense'",
  });
  expect(await failure(startBroker({ tlsCert: 'cert.pem' }))).toMatchObject({
    message: '--tls-cert and --tls-key go together',
  });
  expect(await failure(startBroker({ tcpAddress: '' }))).toMatchObject({
    message: '--tcp-address must not be empty',
  });
  const other = new Error('tcpAddress');
  expect(withFlagNames(OPTION_SPECS, other)).toBe(other);
});
