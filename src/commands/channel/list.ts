import { BaseCommand } from '../../cli/base-command.js';
import { Cluster } from '../../cli/cluster/cluster.js';
import { clusterSource, nodeClient } from '../../cli/cluster/cluster-settings.js';
import { Gaps, LISTING_SETTINGS } from '../../cli/cluster/listing.js';
import { RunError, UsageError } from '../../cli/errors.js';
import { checkedName } from '../../cli/names.js';

export class ChannelList extends BaseCommand {
  static override readonly summary = 'List the channels of topics by name.';
  static override readonly usage = 'channel list <topic>... [flags]';
  static override readonly examples = [
    { description: 'Of a topic on the local broker', command: 'nsq channel list test' },
    {
      description: 'Of two topics in a cluster, each with its topic',
      command: 'nsq channel list orders invoices --lookupd-http-address 127.0.0.1:4161',
    },
  ];
  static override readonly flags = BaseCommand.settingsFlags(LISTING_SETTINGS);

  async run(): Promise<void> {
    const { values, sources, args, terminal } = await this.read(LISTING_SETTINGS, { args: 'topic' });
    if (args.length === 0)
      throw new UsageError('a topic is missing', { hint: 'As in nsq channel list test' });
    const wanted = [...new Set(args)].map((name) => checkedName('topic', name));
    const cluster = new Cluster(clusterSource(values, sources), await nodeClient(values));
    const gaps = new Gaps(terminal);
    const missing: string[] = [];
    for (const topic of wanted) {
      const { channels, failures } = await cluster.channels(topic);
      gaps.note(failures);
      if (!channels) missing.push(topic);
      for (const channel of channels ?? []) {
        if (values.json) this.log(JSON.stringify({ topic, channel }));
        else this.log(wanted.length === 1 ? channel : `${topic}\t${channel}`);
      }
    }
    gaps.check();
    if (missing.length > 0)
      throw new RunError(`there is no topic ${missing.join(', ')}`, {
        hint: 'nsq topic list shows what there is',
      });
  }
}
