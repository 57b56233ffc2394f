import { startBroker } from '../broker/index.js';
import { BaseCommand } from '../cli/base-command.js';
import { runDaemon } from '../cli/daemon-run.js';
import { BROKER_SETTINGS, brokerOptions } from '../cli/serve/broker-settings.js';
import { checkSafeguards, PENDING_SETTINGS, pendingWarnings } from '../cli/serve/pending-settings.js';

const SETTINGS = { ...BROKER_SETTINGS, ...PENDING_SETTINGS };

export class Serve extends BaseCommand {
  static override readonly summary = 'Run a broker: nsqd in one command, with messages on disk.';
  static override readonly usage = 'serve [flags]';
  static override readonly examples = [
    {
      description: 'A broker on ports 4150 (TCP) and 4151 (HTTP), data in this directory',
      command: 'nsq serve',
    },
    {
      description: 'Data elsewhere, every OK on stable storage',
      command: 'nsq serve --data-path /var/lib/nsq --durability fsync',
    },
    { description: "With nsqd's configuration file", command: 'nsq serve --config /etc/nsqd.cfg' },
  ];
  static override readonly flags = BaseCommand.settingsFlags(SETTINGS);

  async run(): Promise<void> {
    const { values, sources, terminal } = await this.read(SETTINGS);
    checkSafeguards(values);
    const options = brokerOptions(values);
    await runDaemon({
      terminal,
      logPrefix: options.logPrefix ?? '',
      warnings: pendingWarnings(values, sources),
      start: (logger) => startBroker({ ...options, logger }),
      summary: async (broker, colors) => {
        const { startupSummary } = await import('../cli/serve/startup-summary.js');
        return startupSummary(broker, options.durability ?? '', this.config.version, colors);
      },
      fields: ({ tcpAddress, httpAddress, dataPath }) => ({
        tcpAddress,
        httpAddress,
        dataPath,
        durability: options.durability,
      }),
      closing: 'closing connections and files',
    });
  }
}
