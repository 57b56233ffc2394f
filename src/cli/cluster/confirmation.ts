import { createInterface } from 'node:readline/promises';
import { count } from '../count.js';
import { ExitCode, RunError, UsageError } from '../errors.js';
import type { Terminal } from '../terminal.js';
import { type Target, targetText, type Verb } from './action.js';
import type { Cluster } from './cluster.js';

const YES = /^y(es)?$/i;

export interface ConfirmationOptions {
  readonly verb: Verb;
  readonly targets: readonly Target[];
  readonly cluster: Cluster;
  readonly terminal: Terminal;
}

/**
 * Says how many messages would be lost and asks on the terminal whether to go ahead; does not ask when there is nothing
 * to lose. Throws {@link UsageError} where nobody can be asked, and {@link RunError} unless the answer is yes.
 */
export async function confirm({ verb, targets, cluster, terminal }: ConfirmationOptions): Promise<void> {
  if (!process.stdin.isTTY || !terminal.interactive) {
    throw new UsageError(`messages would be lost, and nobody is there to confirm it: nothing was done`, {
      hint: 'Say --yes to go ahead',
    });
  }
  let isLoss = false;
  for (const target of targets) {
    const loss = await lossText(verb, target, cluster);
    isLoss ||= loss !== undefined;
    terminal.say(`${targetText(target)}: ${loss ?? 'is not there'}`);
  }
  if (!isLoss) return;
  const word = verb === 'delete' ? 'Delete' : 'Empty';
  const these = targets.length === 1 ? 'it' : `all ${targets.length}`;
  if (!YES.test(await ask(`${word} ${these}? [y/N] `)))
    throw new RunError('not confirmed: nothing was done', { hint: '--yes does it without asking' });
}

/** What is there to be lost; undefined where there is nothing. */
async function lossText(
  verb: Verb,
  { topic, channel }: Target,
  cluster: Cluster,
): Promise<string | undefined> {
  const { nodes } = await cluster.sample({ topic });
  const topics = nodes
    .flatMap((node) => ('stats' in node ? node.stats.topics : []))
    .filter(({ name }) => name === topic);
  const channels = topics.flatMap((one) => one.channels);
  const own = channel === undefined ? topics : channels.filter(({ name }) => name === channel);
  if (own.length === 0)
    return nodes.every((node) => 'stats' in node)
      ? undefined
      : 'not to be seen, since not every nsqd answers';
  const isWholeTopic = channel === undefined && verb === 'delete';
  const counted = isWholeTopic ? [...own, ...channels] : own;
  const waiting = counted.reduce((sum, { depth }) => sum + depth, 0);
  const held = (channel === undefined && !isWholeTopic ? [] : channels)
    .filter(({ name }) => channel === undefined || name === channel)
    .reduce((sum, { inFlight, deferred }) => sum + inFlight + deferred, 0);
  const names = new Set(channels.map(({ name }) => name)).size;
  const parts = [
    ...(isWholeTopic ? [count(names, 'channel')] : []),
    `${waiting.toLocaleString('en')} waiting`,
    ...(held > 0 ? [`${held.toLocaleString('en')} in flight or deferred`] : []),
  ];
  return `${parts.join(', ')}, at ${count(own.length, 'nsqd')}`;
}

async function ask(question: string): Promise<string> {
  const prompt = createInterface({ input: process.stdin, output: process.stderr });
  prompt.once('SIGINT', () => {
    process.stderr.write('\n');
    process.exit(ExitCode.Interrupted);
  });
  // Control-D closes it, and the question is never answered.
  const closed = new Promise<string>((resolve) => prompt.once('close', () => resolve('\n')));
  const answer = await Promise.race([prompt.question(question), closed]);
  prompt.close();
  if (answer === '\n') process.stderr.write(answer);
  return answer.trim();
}
