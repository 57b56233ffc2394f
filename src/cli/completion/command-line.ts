/** What completion has to know of a flag: oclif's manifest has all of it. */
export interface KnownFlag {
  readonly name: string;
  readonly type: 'boolean' | 'option';
  readonly char?: string | undefined;
  readonly description?: string | undefined;
  /** As in the help: `<name>`, or `<one|other>` for choices. */
  readonly helpValue?: string | string[] | undefined;
  readonly hidden?: boolean | undefined;
}

export interface KnownCommand {
  /** Its words: `topic list`. */
  readonly words: string;
  readonly summary: string;
  /** As in the help; names the arguments: `channel list <topic>... [flags]`. */
  readonly usage: string;
  readonly flags: readonly KnownFlag[];
}

/** What the word under the cursor is to be. */
type Question =
  | { readonly kind: 'command'; readonly before: readonly string[] }
  | { readonly kind: 'flag'; readonly command: KnownCommand }
  | {
      readonly kind: 'value';
      readonly command: KnownCommand;
      readonly flag: KnownFlag;
      /** What stands before the value in the same word, as in `--topic=`. */
      readonly head: string;
    }
  | { readonly kind: 'argument'; readonly command: KnownCommand; readonly name: string };

export interface CommandLine {
  readonly question: Question;
  /** The last word, as far as it is typed; of `--flag=value` the value. */
  readonly typed: string;
  /** Values by flag, in their order. */
  readonly given: ReadonlyMap<string, readonly string[]>;
  readonly args: readonly string[];
}

const FLAG = /^--?([a-zA-Z][^=]*)(?:=(.*))?$/s;

/** Reads the words of a command line, without the program's name, up to the cursor: the last is the one to complete. */
export function readCommandLine(words: readonly string[], commands: readonly KnownCommand[]): CommandLine {
  const typed = words.at(-1) ?? '';
  const given = new Map<string, string[]>();
  const args: string[] = [];
  const before = words.slice(0, -1);
  const command = commandOf(before, commands);
  if (!command) return { question: { kind: 'command', before }, typed, given, args };

  const rest = before.slice(command.words.split(' ').length);
  const flags = new Map(command.flags.flatMap((flag) => names(flag).map((name) => [name, flag])));
  const note = (flag: KnownFlag, value: string): void => {
    given.set(flag.name, [...(given.get(flag.name) ?? []), value]);
  };
  let open: KnownFlag | undefined;
  let onlyArgs = false;
  for (const word of rest) {
    const [, name = '', value] = (onlyArgs ? null : FLAG.exec(word)) ?? [];
    const flag = flags.get(name);
    if (open) {
      note(open, word);
      open = undefined;
    } else if (flag?.type === 'option') {
      if (value === undefined) open = flag;
      else note(flag, value);
    } else if (word === '--') {
      onlyArgs = true;
    } else if (name === '') {
      args.push(word);
    }
  }
  const line = { typed, given, args };
  if (open) return { ...line, question: { kind: 'value', command, flag: open, head: '' } };
  const [, name = '', value] = (onlyArgs ? null : FLAG.exec(typed)) ?? [];
  const flag = flags.get(name);
  if (flag?.type === 'option' && value !== undefined) {
    const head = typed.slice(0, typed.length - value.length);
    return { ...line, typed: value, question: { kind: 'value', command, flag, head } };
  }
  if (typed.startsWith('-') && !onlyArgs) return { ...line, question: { kind: 'flag', command } };
  return { ...line, question: { kind: 'argument', command, name: argumentName(command, args.length) } };
}

function commandOf(words: readonly string[], commands: readonly KnownCommand[]): KnownCommand | undefined {
  return commands.find((command) => {
    const own = command.words.split(' ');
    return own.every((word, index) => words[index] === word);
  });
}

function names({ name, char }: KnownFlag): string[] {
  return char === undefined ? [name] : [name, char];
}

/** Of `channel list <topic>... [flags]`, every argument is a `topic`; '' when there is none at this place. */
function argumentName({ words, usage }: KnownCommand, index: number): string {
  const operands = usage
    .slice(words.length)
    .split(' ')
    .filter((word) => /^[<[][a-z]+[\]>.]*$/.test(word) && word !== '[flags]');
  const last = operands.at(-1);
  const operand = operands[index] ?? (last?.includes('...') ? last : '');
  return operand.replaceAll(/[^a-z]/g, '');
}
