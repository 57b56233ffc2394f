import { ActionCommand } from '../../cli/cluster/action-command.js';

export class ChannelUnpause extends ActionCommand {
  static override readonly summary = 'Let messages flow again from channels to their consumers.';
  static override readonly usage = 'channel unpause <topic> <channel>... [flags]';
  static override readonly examples = [
    { description: 'What has gathered goes to the consumers', command: 'nsq channel unpause test archive' },
    {
      description: 'All over a cluster',
      command: 'nsq channel unpause test archive --lookupd-http-address 127.0.0.1:4161',
    },
  ];
  static override readonly flags = ActionCommand.actionFlags();

  protected readonly kind = 'channel';
  protected readonly verb = 'unpause';
}
