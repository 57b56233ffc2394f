import { BaseCommand } from '../base-command.js';
import { RunError, UsageError } from '../errors.js';
import { Interruption } from '../interruption.js';
import { checkedName } from '../names.js';
import { Actions, outcomeError, type Target, type Verb } from './action.js';
import { receiptJson, receiptLine } from './action-receipt.js';
import { ACTION_SETTINGS, DESTRUCTIVE_SETTINGS } from './action-settings.js';
import { Cluster } from './cluster.js';
import { clusterSource, nodeClient } from './cluster-settings.js';

/** What is done to topics or channels all over a cluster; a command says which action, and on what. */
export abstract class ActionCommand extends BaseCommand {
  protected abstract readonly kind: 'topic' | 'channel';
  protected abstract readonly verb: Verb;

  static actionFlags(): ReturnType<typeof BaseCommand.settingsFlags> {
    return BaseCommand.settingsFlags(ACTION_SETTINGS);
  }

  static destructiveFlags(): ReturnType<typeof BaseCommand.settingsFlags> {
    return BaseCommand.settingsFlags(DESTRUCTIVE_SETTINGS);
  }

  async run(): Promise<void> {
    const { verb, kind } = this;
    const isDestructive = verb === 'delete' || verb === 'empty';
    const { values, sources, args, terminal } = await this.read(
      isDestructive ? DESTRUCTIVE_SETTINGS : ACTION_SETTINGS,
      { args: kind },
    );
    const targets = kind === 'topic' ? topicTargets(args, verb) : channelTargets(args, verb);
    const client = await nodeClient(values);
    const cluster = new Cluster(clusterSource(values, sources), client);
    if (isDestructive && !('yes' in values && values.yes === true)) {
      const { confirm } = await import('./confirmation.js');
      await confirm({ verb, targets, cluster, terminal });
    }

    const actions = new Actions(cluster, client);
    const interruption = new Interruption((line) => terminal.say(line));
    const errors: RunError[] = [];
    try {
      for (const target of targets) {
        if (interruption.signal.aborted) break;
        const outcome = await actions.perform(verb, target);
        if (values.json) this.log(receiptJson(outcome));
        const error = outcomeError(outcome);
        if (error) errors.push(error);
        else if (terminal.interactive || values.verbose) terminal.say(receiptLine(outcome));
      }
    } finally {
      interruption.dispose();
    }
    const [first] = errors;
    if (errors.length > 1) {
      for (const { message } of errors) terminal.warn(message);
      const hint = first?.hint;
      throw new RunError(`${errors.length} of ${targets.length} failed`, hint === undefined ? {} : { hint });
    }
    if (first) throw first;
  }
}

function topicTargets(args: readonly string[], verb: Verb): Target[] {
  if (args.length === 0) throw new UsageError('a topic is missing', { hint: `As in nsq topic ${verb} test` });
  return [...new Set(args)].map((name) => ({ topic: argumentName('topic', name) }));
}

function channelTargets([topicName, ...names]: readonly string[], verb: Verb): Target[] {
  if (topicName === undefined || names.length === 0) {
    const missing = topicName === undefined ? 'a topic and a channel are' : 'a channel is';
    throw new UsageError(`${missing} missing`, { hint: `As in nsq channel ${verb} test archive` });
  }
  const topic = argumentName('topic', topicName);
  return [...new Set(names)].map((name) => ({ topic, channel: argumentName('channel', name) }));
}

function argumentName(kind: 'topic' | 'channel', name: string): string {
  if (name === '') throw new UsageError(`a ${kind}'s name is empty`);
  return checkedName(kind, name);
}
