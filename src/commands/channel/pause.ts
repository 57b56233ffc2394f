import { ActionCommand } from '../../cli/cluster/action-command.js';

export class ChannelPause extends ActionCommand {
  static override readonly summary = 'Stop the flow of messages from channels to their consumers.';
  static override readonly usage = 'channel pause <topic> <channel>... [flags]';
  static override readonly examples = [
    { description: 'Messages gather in the channel', command: 'nsq channel pause test archive' },
    {
      description: 'All over a cluster',
      command: 'nsq channel pause test archive --lookupd-http-address 127.0.0.1:4161',
    },
  ];
  static override readonly flags = ActionCommand.actionFlags();

  protected readonly kind = 'channel';
  protected readonly verb = 'pause';
}
