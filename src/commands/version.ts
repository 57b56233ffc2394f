import { BaseCommand } from '../cli/base-command.js';
import { defineSettings } from '../cli/settings.js';

export class Version extends BaseCommand {
  static override readonly summary = 'Print the version.';
  static override readonly usage = 'version';
  static override readonly examples = [
    { description: 'Of nsq, the system and Node', command: 'nsq version' },
    { description: 'The same', command: 'nsq version --version' },
  ];
  static override readonly flags = BaseCommand.settingsFlags({});

  async run(): Promise<void> {
    await this.read(defineSettings({}));
    this.log(this.config.userAgent);
  }
}
