import { ActionCommand } from '../../cli/cluster/action-command.js';

export class TopicEmpty extends ActionCommand {
  static override readonly summary = 'Drop the messages that wait in topics; those in their channels stay.';
  static override readonly usage = 'topic empty <topic>... [flags]';
  static override readonly examples = [
    { description: 'On the local broker, after a question', command: 'nsq topic empty test' },
    { description: 'In a script', command: 'nsq topic empty test --yes' },
  ];
  static override readonly flags = ActionCommand.destructiveFlags();

  protected readonly kind = 'topic';
  protected readonly verb = 'empty';
}
