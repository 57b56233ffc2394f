import { BaseCommand } from '../cli/base-command.js';
import { sourceAddresses } from '../cli/client-options.js';
import { checkedName } from '../cli/names.js';
import { passedOptions } from '../cli/passed-options.js';
import { tailFormat } from '../cli/tail/tail-format.js';
import { TAIL_SETTINGS } from '../cli/tail/tail-settings.js';
import { ownChannel, tailTopics } from '../cli/tail/tail-topics.js';

export class Tail extends BaseCommand {
  static override readonly summary = 'Print the messages of topics as they come.';
  static override readonly usage = 'tail --topic <name> [flags]';
  static override readonly examples = [
    { description: 'What is published from now on', command: 'nsq tail --topic test' },
    {
      description: 'Ten messages of two topics',
      command: 'nsq tail --topic a --topic b --print-topic -n 10',
    },
    {
      description: 'From every broker that has the topic',
      command: 'nsq tail --topic test --lookupd-http-address 127.0.0.1:4161',
    },
    { description: 'For a program', command: 'nsq tail --topic test --format json | jq .body' },
    { description: 'Time, attempts and body', command: "nsq tail --topic test --format '%d %a %v'" },
  ];
  static override readonly flags = BaseCommand.settingsFlags(TAIL_SETTINGS);

  async run(): Promise<void> {
    const { values, sources, terminal } = await this.read(TAIL_SETTINGS);
    const given = values.topic.length === 0 ? [undefined] : new Set(values.topic);
    const topics = [...given].map((topic) => checkedName('topic', topic));
    const format = await tailFormat(values, topics);
    await tailTopics({
      topics,
      channel: checkedName('channel', values.channel ?? ownChannel()),
      source: sourceAddresses(values, sources),
      maxInFlight: values['max-in-flight'],
      limit: values.n,
      format,
      sinceReady: values['since-ready'],
      consumerOptions: {
        userAgent: `nsq-tail/${this.config.version}`,
        ...passedOptions('consumer-opt', values['consumer-opt'], terminal),
      },
      terminal,
    });
  }
}
