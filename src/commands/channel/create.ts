import { ActionCommand } from '../../cli/cluster/action-command.js';

export class ChannelCreate extends ActionCommand {
  static override readonly summary = 'Create channels of a topic, and the topic if it is missing.';
  static override readonly usage = 'channel create <topic> <channel>... [flags]';
  static override readonly examples = [
    { description: 'A channel before its first consumer', command: 'nsq channel create test archive' },
    {
      description: 'Two, all over a cluster',
      command: 'nsq channel create test archive metrics --lookupd-http-address 127.0.0.1:4161',
    },
  ];
  static override readonly flags = ActionCommand.actionFlags();

  protected readonly kind = 'channel';
  protected readonly verb = 'create';
}
