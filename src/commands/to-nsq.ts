import { BaseCommand } from '../cli/base-command.js';
import { sourceAddresses } from '../cli/client-options.js';
import { UsageError } from '../cli/errors.js';
import { checkedName } from '../cli/names.js';
import { passedOptions } from '../cli/passed-options.js';
import { giveUpOptions } from '../cli/relay/give-up-options.js';
import { relayToNsq } from '../cli/to-nsq/relay-to-nsq.js';
import { TO_NSQ_SETTINGS } from '../cli/to-nsq/to-nsq-settings.js';

export class ToNsq extends BaseCommand {
  static override readonly summary = 'Publish the messages of topics to other nsqds.';
  static override readonly usage = 'to-nsq --topic <name> --destination-nsqd-tcp-address <address> [flags]';
  static override readonly examples = [
    {
      description: 'From the broker on this machine to another one',
      command: 'nsq to-nsq --topic orders --destination-nsqd-tcp-address backup:4150',
    },
    {
      description: 'Two topics from everywhere into one, at two brokers',
      command:
        'nsq to-nsq --topic a --topic b --lookupd-http-address 127.0.0.1:4161 --destination-topic all --destination-nsqd-tcp-address one:4150 --destination-nsqd-tcp-address two:4150',
    },
    {
      description: 'Of JSON messages, the errors, and of those two fields',
      command:
        'nsq to-nsq --topic log --require-json-field level --require-json-value error --whitelist-json-field time --whitelist-json-field text --destination-nsqd-tcp-address alerts:4150',
    },
  ];
  static override readonly flags = BaseCommand.settingsFlags(TO_NSQ_SETTINGS);

  async run(): Promise<void> {
    const { values, sources, terminal } = await this.read(TO_NSQ_SETTINGS);
    const given = values.topic.length === 0 ? [undefined] : new Set(values.topic);
    const topics = [...given].map((topic) => checkedName('topic', topic));
    const { 'destination-topic': destinationTopic } = values;
    if (values['destination-nsqd-tcp-address'].length === 0)
      throw new UsageError('--destination-nsqd-tcp-address is missing', {
        hint: 'Name an nsqd, as in --destination-nsqd-tcp-address 127.0.0.1:4150',
      });
    const passed = passedOptions('consumer-opt', values['consumer-opt'], terminal);
    const userAgent = `nsq-to-nsq/${this.config.version}`;
    await relayToNsq({
      topics,
      channel: checkedName('channel', values.channel),
      source: sourceAddresses(values, sources),
      destinations: values['destination-nsqd-tcp-address'],
      destinationTopic: destinationTopic ? checkedName('topic', destinationTopic) : undefined,
      mode: values.mode,
      filter: {
        requireField: values['require-json-field'],
        requireValue: values['require-json-value'],
        whitelist: values['whitelist-json-field'],
      },
      maxInFlight: values['max-in-flight'],
      statusEvery: values['status-every'],
      consumerOptions: {
        userAgent,
        ...passed,
        ...giveUpOptions(values, passed, topics),
      },
      producerOptions: {
        userAgent,
        ...passedOptions('producer-opt', values['producer-opt'], terminal),
      },
      terminal,
    });
  }
}
