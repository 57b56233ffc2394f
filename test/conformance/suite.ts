import { beforeAll, describe, it } from 'vitest';
import { Daemon } from '../support/daemon.js';
import { asksForMore, readRecording, runCase, type Target } from './runner.js';

/**
 * Another daemon than ours to run the recordings against: a command that takes nsqd's flags, in
 * `NSQ_CONFORMANCE_DAEMON` (words apart by blanks). Cases that ask for more than the original does are left out then.
 */
const OTHER = process.env.NSQ_CONFORMANCE_DAEMON;
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
  const concurrent = OTHER === undefined && options.concurrent === true;
  describe.concurrent(name, () => {
    let daemon: Daemon;

    beforeAll(async () => {
      const command = OTHER === undefined ? {} : { command: OTHER.split(' ') };
      daemon = await Daemon.start({ flags: recording.flags, scope: 'file', ...command });
    });

    for (const recorded of recording.cases) {
      const skip = OTHER !== undefined && asksForMore(recorded);
      it.skipIf(skip)(recorded.name, { concurrent, timeout: CASE_TIMEOUT_MS }, () =>
        runCase(target(daemon), recording, recorded),
      );
    }
  });
}
