import { BaseCommand } from '../cli/base-command.js';
import { sourceAddresses } from '../cli/client-options.js';
import { UsageError } from '../cli/errors.js';
import { checkedName } from '../cli/names.js';
import { passedOptions } from '../cli/passed-options.js';
import { giveUpOptions } from '../cli/relay/give-up-options.js';
import { parseHeaders } from '../cli/to-http/headers.js';
import { relayToHttp } from '../cli/to-http/relay-to-http.js';
import { getUrl, postUrl } from '../cli/to-http/target-url.js';
import { DEFAULT_CONTENT_TYPE, TO_HTTP_SETTINGS } from '../cli/to-http/to-http-settings.js';

export class ToHttp extends BaseCommand {
  static override readonly summary = 'Request a URL for each message of a topic.';
  static override readonly usage = 'to-http --topic <name> --post <url> [flags]';
  static override readonly examples = [
    {
      description: 'The message as the body of a POST',
      command: 'nsq to-http --topic orders --post http://127.0.0.1:8080/orders',
    },
    {
      description: 'The message in the URL of a GET',
      command: "nsq to-http --topic clicks --get 'http://127.0.0.1:8080/click?data=%s'",
    },
    {
      description: 'Two servers, mostly the faster one, with a token',
      command:
        "nsq to-http --topic t --mode epsilon-greedy --header 'Authorization: Bearer x' --post http://a/in --post http://b/in",
    },
  ];
  static override readonly flags = BaseCommand.settingsFlags(TO_HTTP_SETTINGS);

  async run(): Promise<void> {
    const { values, sources, terminal } = await this.read(TO_HTTP_SETTINGS);
    const { post, get, 'content-type': contentType } = values;
    const topic = checkedName('topic', values.topic);
    const channel = checkedName('channel', values.channel);
    const ownHeaders = parseHeaders(values.header);
    const source = sourceAddresses(values, sources);
    if (get.length > 0 && post.length > 0) throw new UsageError('use --get or --post, not both');
    if (get.length === 0 && post.length === 0)
      throw new UsageError('--post or --get is missing', {
        hint: 'Name a URL, as in --post http://127.0.0.1:8080/messages',
      });
    if (contentType === '') throw new UsageError('--content-type is empty');
    if (contentType !== DEFAULT_CONTENT_TYPE && post.length === 0)
      throw new UsageError('--content-type is for --post only');

    const passed = passedOptions('consumer-opt', values['consumer-opt'], terminal);
    const method = post.length > 0 ? 'POST' : 'GET';
    await relayToHttp({
      topic,
      channel,
      source,
      method,
      urls: post.length > 0 ? post.map(postUrl) : get.map(getUrl),
      mode: values.mode,
      headers: {
        'user-agent': `nsq_to_http v${this.config.version}`,
        ...(method === 'POST' && parseHeaders([`content-type: ${contentType}`])),
        ...ownHeaders,
      },
      sample: sampleOf(values.sample),
      maxInFlight: values['max-in-flight'],
      concurrency: values.n,
      connectTimeout: values['http-client-connect-timeout'],
      requestTimeout: values['http-client-request-timeout'],
      statusEvery: values['status-every'],
      consumerOptions: {
        userAgent: `nsq-to-http/${this.config.version}`,
        ...passed,
        ...giveUpOptions(values, passed, [topic]),
      },
      terminal,
    });
  }
}

function sampleOf(text: string): number {
  const sample = /^\+?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i.test(text) ? Number(text) : Number.NaN;
  if (sample >= 0 && sample <= 1) return sample;
  throw new UsageError(`invalid value for --sample: "${text}" is no number from 0 to 1`);
}
