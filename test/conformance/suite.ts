import { beforeAll, describe, it } from 'vitest';
import { Daemon, ownCommand } from '../support/daemon.js';
import type { Recording } from './recording.js';
import { asksForMore, readRecording, runCase, type Target } from './runner.js';

/**
 * Other daemons than ours to run the recordings against: commands that take nsqd's or nsqlookupd's flags, in
 * `NSQ_CONFORMANCE_DAEMON` and `NSQ_CONFORMANCE_LOOKUPD` (words apart by blanks). Cases that ask for more than the
 * original does are left out then.
 */
const OTHERS: Readonly<Record<Recording['daemon'], string | undefined>> = {
  nsqd: process.env.NSQ_CONFORMANCE_DAEMON,
  nsqlookupd: process.env.NSQ_CONFORMANCE_LOOKUPD,
};
const CASE_TIMEOUT_MS = 20_000;

function target(daemon: Daemon): Target {
  const [tcp, http] = [daemon.tcpAddress, daemon.httpAddress].map((address) => new URL(`tcp://${address}`));
  return { host: tcp?.hostname ?? '', tcpPort: Number(tcp?.port), httpPort: Number(http?.port) };
}

export interface ConformanceOptions {
  /**
   * Run the cases side by side and not in order; default false. Only for a recording of many waits whose cases keep to
   * topics of their own. Another daemon than ours always gets them in order: the original looks for due messages on
   * a tick of seconds, so what it does depends on when it is asked.
   */
  readonly concurrent?: boolean;
}

/**
 * One test per case of the recording, against one daemon that has the recording's flags. Recordings run side by side:
 * they are made of waiting.
 */
export function conformance(name: string, options: ConformanceOptions = {}): void {
  const recording = readRecording(name);
  const other = OTHERS[recording.daemon];
  const concurrent = other === undefined && options.concurrent === true;
  describe.concurrent(name, () => {
    let daemon: Daemon;

    beforeAll(async () => {
      const { flags } = recording;
      const own = ownCommand(recording.daemon === 'nsqd' ? 'serve' : 'lookupd');
      const dataPath = recording.daemon === 'nsqd' ? {} : { dataPath: '' };
      daemon = await Daemon.start({ flags, scope: 'file', command: other?.split(' ') ?? own, ...dataPath });
    });

    for (const recorded of recording.cases) {
      const skip = other !== undefined && asksForMore(recorded);
      it.skipIf(skip)(recorded.name, { concurrent, timeout: CASE_TIMEOUT_MS }, () =>
        runCase(target(daemon), recording, recorded),
      );
    }
  });
}
