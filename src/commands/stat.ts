import { BaseCommand } from '../cli/base-command.js';
import { Cluster } from '../cli/cluster/cluster.js';
import { clusterSource, nodeClient } from '../cli/cluster/cluster-settings.js';
import { checkedName } from '../cli/names.js';
import { selection, sortKey } from '../cli/stat/selection.js';
import { showStats } from '../cli/stat/show-stats.js';
import { outputFor } from '../cli/stat/stat-output.js';
import { STAT_SETTINGS } from '../cli/stat/stat-settings.js';

export class Stat extends BaseCommand {
  static override readonly summary = 'Show depth, rates and connections of topics and channels.';
  static override readonly usage = 'stat [flags]';
  static override readonly examples = [
    { description: 'The local broker at a glance', command: 'nsq stat' },
    {
      description: 'A whole cluster, the longest queues first',
      command: 'nsq stat --lookupd-http-address 127.0.0.1:4161 --sort depth',
    },
    {
      description: 'One channel in lines, as nsq_stat prints them',
      command: 'nsq stat --topic test --channel archive --output nsq_stat',
    },
    {
      description: 'For a program, every ten seconds',
      command: "nsq stat --json --interval 10s | jq '.topics[].depth'",
    },
    { description: 'Archive channels of some topics', command: "nsq stat --filter 'orders.*/archive'" },
  ];
  static override readonly flags = BaseCommand.settingsFlags(STAT_SETTINGS);

  async run(): Promise<void> {
    const { values, sources, terminal } = await this.read(STAT_SETTINGS);
    const topic = values.topic ? checkedName('topic', values.topic) : undefined;
    const channel = values.channel ? checkedName('channel', values.channel) : undefined;
    const query = { topic, channel };
    const perNode = values['per-node'];
    const isTerminal = process.stdout.isTTY === true;
    const output = outputFor({ output: values.output, json: values.json, perNode, query, isTerminal });
    await showStats({
      cluster: new Cluster(clusterSource(values, sources), await nodeClient(values)),
      query,
      intervalMs: values.interval,
      count: values.count,
      isPaced: values.count !== undefined || sources.get('interval') !== 'default',
      output,
      perNode,
      select: selection(values.sort, values.filter),
      isTree: sortKey(values.sort) === 'topic' && values.filter.length === 0,
      terminal,
      color: values.color,
    });
  }
}
