import { ActionCommand } from '../../cli/cluster/action-command.js';

export class TopicUnpause extends ActionCommand {
  static override readonly summary = 'Let messages flow again from topics to their channels.';
  static override readonly usage = 'topic unpause <topic>... [flags]';
  static override readonly examples = [
    { description: 'What has gathered goes to the channels', command: 'nsq topic unpause test' },
    {
      description: 'All over a cluster',
      command: 'nsq topic unpause test --lookupd-http-address 127.0.0.1:4161',
    },
  ];
  static override readonly flags = ActionCommand.actionFlags();

  protected readonly kind = 'topic';
  protected readonly verb = 'unpause';
}
