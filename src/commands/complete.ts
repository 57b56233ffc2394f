import { Command } from '@oclif/core/command';
import { brokerNames } from '../cli/completion/broker-names.js';
import { candidates, FILES } from '../cli/completion/candidates.js';
import { type KnownCommand, readCommandLine } from '../cli/completion/command-line.js';

/** What the scripts of `nsq completion` ask: the words up to the cursor after `--`, a candidate a line. */
export class Complete extends Command {
  static override readonly hidden = true;
  static override readonly strict = false;
  static override readonly summary = 'Say what the last word of a command line may become.';
  static override readonly usage = 'complete -- [words...]';

  async run(): Promise<void> {
    this.parsed = true;
    const commands = this.config.commands.filter(({ hidden }) => !hidden).map(known);
    const groups = this.config.topics.map(({ name, description = '' }) => ({
      word: name.replaceAll(':', ' '),
      description,
    }));
    const words = this.argv[0] === '--' ? this.argv.slice(1) : this.argv;
    const line = readCommandLine(words, commands);
    const found = await candidates(line, commands, groups, (kind, it) => brokerNames(kind, it, process.env));
    if (found === FILES) this.log(FILES);
    else for (const { word, description } of found) this.log(`${word}\t${description}`);
  }
}

function known({ id, summary = '', usage = '', flags }: Command.Loadable): KnownCommand {
  return {
    words: id.replaceAll(':', ' '),
    summary,
    usage: [usage].flat().join(' '),
    flags: Object.values(flags),
  };
}
