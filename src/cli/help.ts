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

/** The help class that package.json names. */
export class NsqHelp extends Help {
  protected override CommandHelpClass = ExampleFirstHelp;

  constructor(config: Interfaces.Config, options: Partial<Interfaces.HelpOptions> = {}) {
    super(config, {
      maxWidth: process.stdout.isTTY ? Math.max(80, process.stdout.columns) : PIPE_WIDTH,
      ...options,
    });
  }
}
