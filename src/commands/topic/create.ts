import { ActionCommand } from '../../cli/cluster/action-command.js';

export class TopicCreate extends ActionCommand {
  static override readonly summary = 'Create topics.';
  static override readonly usage = 'topic create <topic>... [flags]';
  static override readonly examples = [
    { description: 'A topic before its first message', command: 'nsq topic create test' },
    {
      description: 'Several, known to every lookupd',
      command: 'nsq topic create orders invoices --lookupd-http-address 127.0.0.1:4161',
    },
  ];
  static override readonly flags = ActionCommand.actionFlags();

  protected readonly kind = 'topic';
  protected readonly verb = 'create';
}
