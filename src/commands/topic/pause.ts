import { ActionCommand } from '../../cli/cluster/action-command.js';

export class TopicPause extends ActionCommand {
  static override readonly summary = 'Stop the flow of messages from topics to their channels.';
  static override readonly usage = 'topic pause <topic>... [flags]';
  static override readonly examples = [
    { description: 'Messages gather in the topic', command: 'nsq topic pause test' },
    {
      description: 'All over a cluster',
      command: 'nsq topic pause test --lookupd-http-address 127.0.0.1:4161',
    },
  ];
  static override readonly flags = ActionCommand.actionFlags();

  protected readonly kind = 'topic';
  protected readonly verb = 'pause';
}
