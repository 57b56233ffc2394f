import { BaseCommand } from '../cli/base-command.js';
import { runDaemon } from '../cli/daemon-run.js';
import {
  DEPRECATED_LOOKUPD_SETTINGS,
  LOOKUPD_SETTINGS,
  lookupdOptions,
} from '../cli/lookupd/lookupd-settings.js';
import { keepProcessSmall } from '../cli/lookupd/small-process.js';
import { LOOKUPD_OPTION_SPECS, NSQLOOKUPD_VERSION, startLookupd } from '../lookupd/index.js';

const SETTINGS = { ...LOOKUPD_SETTINGS, ...DEPRECATED_LOOKUPD_SETTINGS };

export class Lookupd extends BaseCommand {
  static override readonly summary =
    'Run a directory of topics: nsqlookupd, for many brokers found by topic.';
  static override readonly usage = 'lookupd [flags]';
  static override readonly examples = [
    {
      description: 'A directory on ports 4160 (TCP, for brokers) and 4161 (HTTP)',
      command: 'nsq lookupd',
    },
    {
      description: 'On other ports, brokers left out after half a minute of silence',
      command: 'nsq lookupd --tcp-address :5160 --http-address :5161 --inactive-producer-timeout 30s',
    },
    {
      description: "With nsqlookupd's configuration file",
      command: 'nsq lookupd --config /etc/nsqlookupd.cfg',
    },
  ];
  static override readonly flags = BaseCommand.settingsFlags(SETTINGS);
  protected override readonly standsFor = `nsqlookupd v${NSQLOOKUPD_VERSION}`;

  async run(): Promise<void> {
    const { values, terminal } = await this.read(SETTINGS);
    const options = lookupdOptions(values);
    await runDaemon({
      terminal,
      logPrefix: options.logPrefix ?? '',
      options: LOOKUPD_OPTION_SPECS,
      warnings: values.verbose ? ['--verbose is deprecated: use --log-level'] : [],
      start: (logger) => {
        keepProcessSmall();
        return startLookupd({ ...options, logger });
      },
      summary: async (lookupd, colors) => {
        const { lookupdSummary } = await import('../cli/lookupd/startup-summary.js');
        return lookupdSummary(lookupd, this.config.version, colors);
      },
      fields: ({ tcpAddress, httpAddress }) => ({ tcpAddress, httpAddress }),
      closing: 'closing connections',
    });
  }
}
