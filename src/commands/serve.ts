import { startBroker } from '../broker/index.js';
import { BaseCommand } from '../cli/base-command.js';
import { Interruption } from '../cli/interruption.js';
import { createLogger } from '../cli/logger.js';
import { BROKER_SETTINGS, brokerOptions } from '../cli/serve/broker-settings.js';
import { PENDING_SETTINGS, pendingWarnings } from '../cli/serve/pending-settings.js';
import { startupSummary } from '../cli/serve/startup-summary.js';

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
    const options = brokerOptions(values);
    const logger = await createLogger({ prefix: options.logPrefix ?? '', terminal });
    for (const warning of pendingWarnings(values, sources)) logger.warn(warning);

    const interruption = new Interruption(
      (line) => logger.info(line),
      () => 'closing connections and files',
    );
    const broker = await startBroker({ ...options, logger });
    const { tcpAddress, httpAddress, dataPath } = broker;
    if (terminal.interactive) {
      const colors = await terminal.colors();
      terminal.say(startupSummary(broker, options.durability ?? '', this.config.version, colors));
    } else {
      logger.info('ready', { tcpAddress, httpAddress, dataPath, durability: options.durability });
    }

    await interruption.wait();
    await broker.close();
    logger.info('stopped');
    interruption.dispose();
  }
}
