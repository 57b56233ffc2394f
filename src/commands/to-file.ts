import { BaseCommand } from '../cli/base-command.js';
import { createLogger } from '../cli/logger.js';
import { passedOptions } from '../cli/passed-options.js';
import { archivePlan } from '../cli/to-file/archive-plan.js';
import { runArchiver } from '../cli/to-file/run-archiver.js';
import { TO_FILE_SETTINGS } from '../cli/to-file/to-file-settings.js';

export class ToFile extends BaseCommand {
  static override readonly summary = 'Write the messages of topics to files.';
  static override readonly usage = 'to-file (--topic <name> | --topic-pattern <regexp>) [flags]';
  static override readonly examples = [
    {
      description: 'One file an hour in this directory',
      command: 'nsq to-file --topic orders --output-dir .',
    },
    {
      description: 'Compressed, a new file each 10 minutes or 1 GB',
      command:
        'nsq to-file --topic orders --output-dir /archive --gzip --rotate-interval 10m --rotate-size 1000000000',
    },
    {
      description: 'Every topic that matches, also new ones, each in a directory of its own',
      command:
        "nsq to-file --topic-pattern '^orders' --lookupd-http-address 127.0.0.1:4161 --filename-format '<TOPIC>/<DATETIME>.log'",
    },
    {
      description: 'With id, time and attempts of each message',
      command: 'nsq to-file --topic orders --output-dir /archive --format json',
    },
  ];
  static override readonly flags = BaseCommand.settingsFlags(TO_FILE_SETTINGS);

  async run(): Promise<void> {
    const { values, sources, terminal } = await this.read(TO_FILE_SETTINGS);
    const consumerOptions = {
      userAgent: `nsq-to-file/${this.config.version}`,
      ...passedOptions('consumer-opt', values['consumer-opt'], terminal),
    };
    const logger = await createLogger({ prefix: values['log-prefix'], terminal });
    await runArchiver(archivePlan(values, sources, consumerOptions, logger));
  }
}
