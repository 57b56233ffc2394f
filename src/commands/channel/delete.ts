import { ActionCommand } from '../../cli/cluster/action-command.js';

export class ChannelDelete extends ActionCommand {
  static override readonly summary = 'Delete channels of a topic with their messages.';
  static override readonly usage = 'channel delete <topic> <channel>... [flags]';
  static override readonly examples = [
    { description: 'On the local broker, after a question', command: 'nsq channel delete test archive' },
    {
      description: 'All over a cluster, in a script',
      command: 'nsq channel delete test archive --yes --lookupd-http-address 127.0.0.1:4161',
    },
  ];
  static override readonly flags = ActionCommand.destructiveFlags();

  protected readonly kind = 'channel';
  protected readonly verb = 'delete';
}
