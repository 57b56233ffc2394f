import { Command } from '@oclif/core/command';
import { NsqHelp } from '../cli/help.js';

export class Help extends Command {
  static override readonly summary = 'Show what a command takes.';
  static override readonly usage = 'help [command...]';
  static override readonly examples = [
    { description: 'All commands', command: 'nsq help' },
    { description: 'One of them', command: 'nsq help topic list' },
  ];
  static override readonly strict = false;

  async run(): Promise<void> {
    this.parsed = true;
    await new NsqHelp(this.config, this.config.pjson.oclif.helpOptions).showHelp([...this.argv]);
  }
}
