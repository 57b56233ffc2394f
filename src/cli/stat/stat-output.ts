import type { StatsQuery } from '../cluster/cluster.js';
import { UsageError } from '../errors.js';

export const OUTPUTS = ['table', 'tsv', 'json', 'nsq_stat'] as const;
export type Output = (typeof OUTPUTS)[number];

export interface OutputChoice {
  /** `--output` */
  readonly output: Output | undefined;
  readonly json: boolean;
  readonly perNode: boolean;
  readonly query: StatsQuery;
  /** Standard output is a terminal. */
  readonly isTerminal: boolean;
}

/**
 * What was asked for, or what fits: a table on a terminal; elsewhere the lines of nsq_stat for one channel, since its
 * scripts read them, and TSV for all else. Throws {@link UsageError}.
 */
export function outputFor({ output: asked, json, perNode, query, isTerminal }: OutputChoice): Output {
  if (json && asked !== undefined && asked !== 'json')
    throw new UsageError(`--json and --output ${asked} are two things: give one of them`);
  const isOneChannel = query.topic !== undefined && query.channel !== undefined;
  if (asked === 'nsq_stat' && !isOneChannel)
    throw new UsageError('--output nsq_stat needs --topic and --channel');
  if (asked === 'nsq_stat' && perNode)
    throw new UsageError('--output nsq_stat has no --per-node', { hint: 'It prints the sum over all nsqds' });
  if (json) return 'json';
  if (asked !== undefined) return asked;
  if (isTerminal) return 'table';
  return isOneChannel && !perNode ? 'nsq_stat' : 'tsv';
}
