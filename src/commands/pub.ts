import { BaseCommand } from '../cli/base-command.js';
import { UsageError } from '../cli/errors.js';
import { unescapeBytes } from '../cli/escapes.js';
import { checkedName } from '../cli/names.js';
import { passedOptions } from '../cli/passed-options.js';
import { PUB_SETTINGS } from '../cli/pub/pub-settings.js';
import { publishInput } from '../cli/pub/publish-input.js';
import { outcomeError, receiptJson, receiptLine } from '../cli/pub/receipt.js';

export class Pub extends BaseCommand {
  static override readonly summary = 'Publish messages: arguments, lines of the standard input, or files.';
  static override readonly usage = 'pub --topic <name> [flags] [body...]';
  static override readonly examples = [
    { description: 'One message', command: "nsq pub --topic test 'hello'" },
    { description: 'Every line of a stream', command: 'nsq pub --topic access --file /var/log/access.log' },
    {
      description: 'A whole file as one message, delivered in an hour',
      command: 'nsq pub --topic report --send-on eof --file report.pdf --defer 1h',
    },
    {
      description: 'Records that end with NUL, at 100 a second',
      command: "nsq pub --topic files --delimiter '\\0' --rate 100 --file list",
    },
  ];
  static override readonly flags = BaseCommand.settingsFlags(PUB_SETTINGS);

  async run(): Promise<void> {
    const { values, args, terminal } = await this.read(PUB_SETTINGS, { args: 'body' });
    const topic = checkedName('topic', values.topic);
    if (args.includes('')) throw new UsageError('a body is empty', { hint: 'NSQ has no empty messages' });
    if (args.length > 0 && values.file.length > 0) throw new UsageError('give bodies or --file, not both');

    const outcome = await publishInput({
      topic,
      addresses: values['nsqd-tcp-address'],
      any: values.any,
      bodies: args.map((body) => Buffer.from(body)),
      files: values.file,
      delimiter: values['send-on'] === 'eof' ? undefined : delimiterOf(values.delimiter),
      deferMs: values.defer,
      batch: values.batch,
      rate: values.rate,
      producerOptions: {
        userAgent: `nsq-pub/${this.config.version}`,
        ...passedOptions('producer-opt', values['producer-opt'], terminal),
      },
      terminal,
    });

    if (values.json) this.log(receiptJson(outcome));
    // Who ends it early has to know how far it came.
    const isPartial = outcome.interrupted || (outcome.failure !== undefined && outcome.receipt.messages > 0);
    const isReached = outcome.failure === undefined || outcome.receipt.messages > 0;
    if (isPartial || (isReached && (terminal.interactive || values.verbose)))
      terminal.say(receiptLine(outcome));
    const error = outcomeError(outcome);
    if (error !== undefined) throw error;
  }
}

function delimiterOf(text: string): Buffer {
  const delimiter = unescapeBytes(text);
  if (delimiter.length === 0)
    throw new UsageError('--delimiter is empty', {
      hint: 'For the whole input as one message, use --send-on eof',
    });
  return delimiter;
}
