import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { BaseCommand } from '../cli/base-command.js';
import { SHELLS } from '../cli/completion/candidates.js';
import { UsageError } from '../cli/errors.js';

export class Completion extends BaseCommand {
  static override readonly summary =
    'Print a script that lets a shell complete commands, flags, topics and channels.';
  static override readonly usage = 'completion <shell> [flags]';
  static override readonly examples = [
    { description: 'In ~/.bashrc', command: 'source <(nsq completion bash)' },
    { description: 'In ~/.zshrc, after compinit', command: 'source <(nsq completion zsh)' },
    {
      description: 'Once, for fish',
      command: 'nsq completion fish > ~/.config/fish/completions/nsq.fish',
    },
  ];
  static override readonly flags = BaseCommand.settingsFlags({});

  async run(): Promise<void> {
    const { args } = await this.read({}, { args: 'shell' });
    const shell = SHELLS.find((name) => name === args[0]);
    if (args.length > 1)
      throw new UsageError(`unexpected argument "${args[1]}"`, { hint: 'One shell at a time' });
    if (shell === undefined) {
      const what = args[0] === undefined ? 'a shell is missing' : `there is no completion for "${args[0]}"`;
      throw new UsageError(what, { hint: `One of ${SHELLS.join(', ')}, as in nsq completion bash` });
    }
    const script = join(this.config.root, 'bin', 'completion', `nsq.${shell}`);
    this.log((await readFile(script, 'utf8')).trimEnd());
  }
}
