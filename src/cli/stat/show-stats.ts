import { formatDuration } from '../../protocol/duration.js';
import type { Cluster, Sample, StatsQuery } from '../cluster/cluster.js';
import { NodeReporter } from '../cluster/node-reporter.js';
import { ExitCode, RunError } from '../errors.js';
import { Interruption } from '../interruption.js';
import { watchPipeReader } from '../pipe-reader.js';
import { Terminal } from '../terminal.js';
import { failuresOf, makeReport } from './report.js';
import { jsonFormat, nsqStatFormat, type ReportFormat, tsvFormat } from './report-formats.js';
import { takeSamples } from './samples.js';
import type { Selection } from './selection.js';
import type { Output } from './stat-output.js';

export interface StatOptions {
  readonly cluster: Cluster;
  readonly query: StatsQuery;
  readonly intervalMs: number;
  /** Reports, each over an interval; undefined for no end. */
  readonly count: number | undefined;
  /** One report after the other was asked for. Otherwise there is one at once, where the output is not made to go on. */
  readonly isPaced: boolean;
  readonly output: Output;
  readonly perNode: boolean;
  readonly select: Selection;
  /** Rows are in the order of names, and all of them are there. */
  readonly isTree: boolean;
  /** For standard error. */
  readonly terminal: Terminal;
  /** `--color` or `--no-color`. */
  readonly color: boolean | undefined;
}

/** Prints what the cluster looks like, once or again and again, until the count is reached or a signal comes. */
export async function showStats(options: StatOptions): Promise<void> {
  const { cluster, query, intervalMs, count } = options;
  const out = new Terminal({ stream: process.stdout, color: options.color });
  const isLive = options.output === 'table' && out.animated;
  const isOnce = !options.isPaced && options.output !== 'nsq_stat';
  // A picture that moves shows itself that it has stopped.
  const interruption = new Interruption((line) => {
    if (!isLive) options.terminal.say(line);
  });
  const ended = new AbortController();
  const signal = AbortSignal.any([interruption.signal, ended.signal]);
  const stopWatching = watchPipeReader(process.stdout.fd, () => process.exit(ExitCode.Done));
  const samples = takeSamples({ cluster, query, intervalMs, signal });
  try {
    if (!isLive) {
      const format = await formatOf(options, isOnce, out);
      return await printReports(found(samples, query), format, isOnce, options);
    }
    const { liveView } = await import('./live-view.js');
    const { perNode, select, isTree } = options;
    const { stdin, stdout } = process;
    await liveView({
      ...{ samples: found(samples, query), intervalMs, count, perNode, select, isTree, stdin, stdout },
      colors: await out.colors(),
      end: () => ended.abort(),
    });
  } finally {
    stopWatching();
    interruption.dispose();
  }
}

async function printReports(
  samples: AsyncIterable<Sample | RunError>,
  format: ReportFormat,
  isOnce: boolean,
  { intervalMs, count, perNode, select, terminal }: StatOptions,
): Promise<void> {
  const reporter = new NodeReporter((line) => terminal.warn(line));
  let earlier: Sample | undefined;
  let printed = 0;
  for await (const sample of samples) {
    if (sample instanceof RunError) throw sample;
    const report = makeReport(sample, { earlier, intervalMs, perNode });
    const failures = failuresOf(report);
    reporter.tell(failures);
    const head = earlier ? '' : format.head;
    const body = earlier || isOnce ? format.print(report, select(report.rows)) : '';
    if (head + body !== '') process.stdout.write(head + body);
    if (earlier || isOnce) printed++;
    earlier = sample;
    if (!isOnce && printed !== count) continue;
    if (failures.length > 0) throw incomplete(failures.map(({ address }) => address));
    return;
  }
}

function incomplete(addresses: readonly string[]): RunError {
  return new RunError(`the report is without ${addresses.join(', ')}`, {
    hint: 'The warning above says why',
  });
}

/** Lets samples through in which the topic and channel asked for are there; others are errors. */
async function* found(
  samples: AsyncIterable<Sample | RunError>,
  { topic, channel }: StatsQuery,
): AsyncGenerator<Sample | RunError> {
  for await (const sample of samples) {
    if (sample instanceof RunError || isFound(sample, topic, channel)) {
      yield sample;
      continue;
    }
    const places = sample.nodes.map(({ address }) => address).join(', ');
    const what = channel === undefined ? `topic ${topic}` : `channel ${channel}`;
    const of = channel === undefined || topic === undefined ? '' : ` of topic ${topic}`;
    yield new RunError(`there is no ${what}${of}${places === '' ? '' : ` at ${places}`}`, {
      hint: 'Without --topic and --channel, nsq stat shows what there is',
    });
  }
}

function isFound({ nodes }: Sample, topic: string | undefined, channel: string | undefined): boolean {
  if (topic === undefined && channel === undefined) return true;
  const topics = nodes.flatMap((node) => ('stats' in node ? node.stats.topics : []));
  return topics.some(
    ({ name, channels }) =>
      (topic === undefined || name === topic) &&
      (channel === undefined || channels.some((one) => one.name === channel)),
  );
}

/** What only a table needs is loaded for one. */
async function formatOf(options: StatOptions, isOnce: boolean, out: Terminal): Promise<ReportFormat> {
  const { intervalMs, isTree, perNode } = options;
  switch (options.output) {
    case 'json':
      return jsonFormat(perNode);
    case 'nsq_stat':
      return nsqStatFormat();
    case 'tsv':
      return tsvFormat(perNode);
    default: {
      const { tableFormat } = await import('./table-format.js');
      const width = process.stdout.columns || Number.POSITIVE_INFINITY;
      const pace = isOnce ? '' : formatDuration(intervalMs);
      return tableFormat({ width, pace, isTree, perNode, colors: await out.colors() });
    }
  }
}
