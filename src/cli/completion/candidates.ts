import type { CommandLine, KnownCommand, KnownFlag } from './command-line.js';

/** What the word under the cursor may become. */
export interface Candidate {
  readonly word: string;
  readonly description: string;
}

/** Asks for names that only the broker knows. */
export type AskNames = (kind: 'topic' | 'channel', line: CommandLine) => Promise<readonly string[]>;

/** What the scripts take for: files, as the shell completes them. */
export const FILES = ':files';

const FILE_VALUES: ReadonlySet<string> = new Set(['<file>', '<path>', '<dir>']);
const TOPIC_FLAGS: ReadonlySet<string> = new Set(['topic', 'destination-topic']);
export const SHELLS = ['bash', 'zsh', 'fish'] as const;

/** The candidates for the last word of a command line, or {@link FILES}. */
export async function candidates(
  line: CommandLine,
  commands: readonly KnownCommand[],
  groups: readonly Candidate[],
  askNames: AskNames,
): Promise<readonly Candidate[] | typeof FILES> {
  const { question, typed } = line;
  const begun = (found: readonly Candidate[]): Candidate[] =>
    found.filter(({ word }) => word.startsWith(typed));
  switch (question.kind) {
    case 'command':
      return begun(commandWords(question.before, commands, groups));
    case 'flag':
      return begun(flagWords(question.command, /^-[a-z]/.test(typed) ? '-' : '--'));
    case 'argument':
      if (question.name === 'command') return begun(commandWords(line.args, commands, groups));
      if (question.name === 'shell') return begun(bare(SHELLS));
      if (question.name === 'topic' || question.name === 'channel')
        return begun(bare(await askNames(question.name, line)));
      return [];
    case 'value': {
      const { flag, head } = question;
      const found = valuesOf(flag) ?? (await namesOf(flag, line, askNames));
      if (found === FILES) return FILES;
      return begun(bare(found)).map(({ word, description }) => ({ word: head + word, description }));
    }
  }
}

/** The next words of commands, each once; a group's has the group's description. */
function commandWords(
  before: readonly string[],
  commands: readonly KnownCommand[],
  groups: readonly Candidate[],
): Candidate[] {
  const head = before.map((word) => `${word} `).join('');
  const found = new Map<string, string>();
  for (const { words, summary } of commands) {
    if (!words.startsWith(head)) continue;
    const [word = '', ...more] = words.slice(head.length).split(' ');
    const group = groups.find((one) => one.word === head + word);
    if (!found.has(word)) found.set(word, more.length === 0 ? summary : (group?.description ?? ''));
  }
  return [...found].map(([word, description]) => ({ word, description }));
}

/** `dashes`: as they are typed, since Go's single one is understood too. */
function flagWords({ flags }: KnownCommand, dashes: string): Candidate[] {
  const shown = flags.filter(({ hidden }) => !hidden);
  return [
    ...shown.map(({ name, description = '' }) => ({
      word: name.length === 1 ? `-${name}` : `${dashes}${name === 'color' ? 'no-color' : name}`,
      description,
    })),
    { word: `${dashes}help`, description: 'show what the command takes' },
  ];
}

/** What the flag itself says of its values; undefined when it says nothing. */
function valuesOf({ helpValue = '' }: KnownFlag): readonly string[] | typeof FILES | undefined {
  if (typeof helpValue !== 'string') return undefined;
  if (FILE_VALUES.has(helpValue)) return FILES;
  if (!helpValue.includes('|')) return undefined;
  return helpValue
    .slice(1, -1)
    .split('|')
    .filter((word) => /^[\w.-]+$/.test(word));
}

async function namesOf(
  { name }: KnownFlag,
  line: CommandLine,
  askNames: AskNames,
): Promise<readonly string[]> {
  if (TOPIC_FLAGS.has(name)) return askNames('topic', line);
  return name === 'channel' ? askNames('channel', line) : [];
}

function bare(words: readonly string[]): Candidate[] {
  return words.map((word) => ({ word, description: '' }));
}
