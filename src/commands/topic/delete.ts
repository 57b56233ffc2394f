import { ActionCommand } from '../../cli/cluster/action-command.js';

export class TopicDelete extends ActionCommand {
  static override readonly summary = 'Delete topics with their channels and messages.';
  static override readonly usage = 'topic delete <topic>... [flags]';
  static override readonly examples = [
    { description: 'On the local broker, after a question', command: 'nsq topic delete test' },
    {
      description: 'All over a cluster, in a script',
      command: 'nsq topic delete test --yes --lookupd-http-address 127.0.0.1:4161',
    },
  ];
  static override readonly flags = ActionCommand.destructiveFlags();

  protected readonly kind = 'topic';
  protected readonly verb = 'delete';
}
