import type { Command, Interfaces } from '@oclif/core';
import { CommandHelp, Help } from '@oclif/core/help';

type Section = ReturnType<CommandHelp['sections']>[number];

/** Into a pipe a line is a line, for grep. */
const PIPE_WIDTH = 1000;
const ORDER = ['EXAMPLES', 'USAGE', 'ARGUMENTS', 'FLAGS', 'DESCRIPTION', 'ALIASES'];

/** Examples first, and one line per flag: what it does, its default, its unit. */
class ExampleFirstHelp extends CommandHelp {
  protected override sections(): Section[] {
    const sections = super.sections().filter(({ header }) => ORDER.includes(header));
    return sections.sort((one, other) => ORDER.indexOf(one.header) - ORDER.indexOf(other.header));
  }

  protected override flagHelpLabel(flag: Command.Flag.Any): string {
    const dashes = flag.name.length === 1 ? '-' : '--';
    const value = flag.type === 'option' && typeof flag.helpValue === 'string' ? ` ${flag.helpValue}` : '';
    return `${dashes}${flag.name}${value}`;
  }

  protected override examples(examples: Command.Example[] | undefined | string): string | undefined {
    if (!Array.isArray(examples)) return super.examples(examples);
    return examples
      .map((example) =>
        typeof example === 'string' ? example : `# ${example.description}\n${example.command}`,
      )
      .join('\n\n');
  }
}

/** What people come for, by the word that they ask about; '' is the program itself. */
const EXAMPLES: Readonly<Record<string, string>> = {
  '': `# A broker, and a message through it
nsq serve
nsq pub --topic test 'hello'
nsq tail --topic test

# What a command takes
nsq pub --help`,
  topic: `nsq topic list
nsq topic create orders invoices
nsq topic delete orders`,
  channel: `nsq channel list orders
nsq channel pause orders archive
nsq channel empty orders archive`,
};

/** The help class that package.json names. */
export class NsqHelp extends Help {
  protected override CommandHelpClass = ExampleFirstHelp;

  constructor(config: Interfaces.Config, options: Partial<Interfaces.HelpOptions> = {}) {
    super(config, {
      maxWidth: process.stdout.isTTY ? Math.max(80, process.stdout.columns) : PIPE_WIDTH,
      ...options,
    });
  }

  override formatRoot(): string {
    return this.#withExamples('', super.formatRoot());
  }

  override formatTopic(topic: Interfaces.Topic): string {
    return this.#withExamples(topic.name, super.formatTopic(topic));
  }

  /** Below the line that says what it is. */
  #withExamples(name: string, help: string): string {
    const examples = EXAMPLES[name];
    if (examples === undefined) return help;
    const [summary = '', ...rest] = help.split('\n\n');
    return [summary, this.section('EXAMPLES', examples), ...rest].join('\n\n');
  }
}
