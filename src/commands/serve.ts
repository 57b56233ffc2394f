import { importFromNsqd, NSQD_VERSION, startBroker } from '../broker/index.js';
import { BaseCommand } from '../cli/base-command.js';
import { runDaemon } from '../cli/daemon-run.js';
import { UsageError } from '../cli/errors.js';
import { createLogger } from '../cli/logger.js';
import { BROKER_SETTINGS, brokerOptions } from '../cli/serve/broker-settings.js';
import { deprecationWarnings, IGNORED_SETTINGS } from '../cli/serve/ignored-settings.js';
import { importError, importJson, importLines } from '../cli/serve/import-report.js';
import { IMPORT_SETTINGS } from '../cli/serve/import-settings.js';
import type { Terminal } from '../cli/terminal.js';

const SETTINGS = { ...BROKER_SETTINGS, ...IGNORED_SETTINGS, ...IMPORT_SETTINGS };

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
    {
      description: "Import nsqd's topics and queued messages, and end",
      command: 'nsq serve --data-path /var/lib/nsqd --import-only',
    },
  ];
  static override readonly flags = BaseCommand.settingsFlags(SETTINGS);
  protected override readonly standsFor = `nsqd v${NSQD_VERSION}`;

  async run(): Promise<void> {
    const { values, sources, terminal } = await this.read(SETTINGS);
    const options = brokerOptions(values);
    if (values['import-only']) return this.#import(options, values.json, terminal);
    if (values.json) throw new UsageError('--json goes with --import-only');
    await runDaemon({
      terminal,
      logPrefix: options.logPrefix ?? '',
      warnings: deprecationWarnings(values, sources),
      start: (logger) => startBroker({ ...options, logger }),
      summary: async (broker, colors) => {
        const { startupSummary } = await import('../cli/serve/startup-summary.js');
        return startupSummary(broker, options.durability ?? '', this.config.version, colors);
      },
      fields: ({ tcpAddress, httpAddress, httpsAddress, dataPath }) => ({
        tcpAddress,
        httpAddress,
        ...(httpsAddress !== '' && { httpsAddress }),
        dataPath,
        durability: options.durability,
      }),
      closing: 'closing connections and files',
    });
  }

  async #import(
    options: ReturnType<typeof brokerOptions>,
    asJson: boolean,
    terminal: Terminal,
  ): Promise<void> {
    const logger = await createLogger({ prefix: options.logPrefix ?? '', terminal });
    const report = await importFromNsqd({ ...options, logger });
    for (const line of asJson ? [importJson(report)] : importLines(report)) this.log(line);
    const error = importError(report);
    if (error) throw error;
  }
}
