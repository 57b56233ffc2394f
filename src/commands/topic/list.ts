import { BaseCommand } from '../../cli/base-command.js';
import { Cluster } from '../../cli/cluster/cluster.js';
import { clusterSource, nodeClient } from '../../cli/cluster/cluster-settings.js';
import { Gaps, LISTING_SETTINGS } from '../../cli/cluster/listing.js';

export class TopicList extends BaseCommand {
  static override readonly summary = 'List topics by name.';
  static override readonly usage = 'topic list [flags]';
  static override readonly examples = [
    { description: 'Of the local broker', command: 'nsq topic list' },
    {
      description: 'Of a cluster, with the nsqds that have them',
      command: 'nsq topic list --json --lookupd-http-address 127.0.0.1:4161',
    },
  ];
  static override readonly flags = BaseCommand.settingsFlags(LISTING_SETTINGS);

  async run(): Promise<void> {
    const { values, sources, terminal } = await this.read(LISTING_SETTINGS);
    const cluster = new Cluster(clusterSource(values, sources), await nodeClient(values));
    const { topics, failures } = await cluster.topics();
    const gaps = new Gaps(terminal);
    gaps.note(failures);
    for (const [topic, nsqds] of topics) this.log(values.json ? JSON.stringify({ topic, nsqds }) : topic);
    gaps.check();
  }
}
