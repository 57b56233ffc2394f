import { ActionCommand } from '../../cli/cluster/action-command.js';

export class ChannelEmpty extends ActionCommand {
  static override readonly summary = 'Drop the messages of channels: waiting, in flight and deferred.';
  static override readonly usage = 'channel empty <topic> <channel>... [flags]';
  static override readonly examples = [
    { description: 'On the local broker, after a question', command: 'nsq channel empty test archive' },
    { description: 'In a script', command: 'nsq channel empty test archive --yes' },
  ];
  static override readonly flags = ActionCommand.destructiveFlags();

  protected readonly kind = 'channel';
  protected readonly verb = 'empty';
}
