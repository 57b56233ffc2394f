import { describe, expect, test } from 'vitest';
import { type AskNames, candidates } from '../../../src/cli/completion/candidates.js';
import { type KnownCommand, readCommandLine } from '../../../src/cli/completion/command-line.js';
import { placeholder } from '../../../src/cli/flags.js';
import { messageFormat } from '../../../src/cli/tail/message-format.js';
import { TAIL_SETTINGS } from '../../../src/cli/tail/tail-settings.js';
import { TO_FILE_SETTINGS } from '../../../src/cli/to-file/to-file-settings.js';

const COMMANDS: KnownCommand[] = [
  {
    words: 'tail',
    summary: 'Print messages.',
    usage: 'tail --topic <name> [flags]',
    flags: [
      { name: 'topic', type: 'option', helpValue: '<name>', description: 'topic to print' },
      { name: 'channel', type: 'option', helpValue: '<name>' },
      { name: 'n', char: 'n', type: 'option', helpValue: '<n>' },
      { name: 'format', type: 'option', helpValue: '<line|raw|%…>' },
      { name: 'print-topic', type: 'boolean' },
      { name: 'color', type: 'boolean' },
      { name: 'config', type: 'option', helpValue: '<file>' },
      { name: 'secret', type: 'boolean', hidden: true },
    ],
  },
  { words: 'topic list', summary: 'List topics.', usage: 'topic list [flags]', flags: [] },
  { words: 'topic delete', summary: 'Delete topics.', usage: 'topic delete <topic>... [flags]', flags: [] },
  {
    words: 'channel pause',
    summary: 'Pause.',
    usage: 'channel pause <topic> <channel>... [flags]',
    flags: [],
  },
  { words: 'help', summary: 'Help.', usage: 'help [command...]', flags: [] },
  { words: 'completion', summary: 'Script.', usage: 'completion <shell> [flags]', flags: [] },
];
const GROUPS = [{ word: 'topic', description: 'Topics.' }];

/** Answers with the topic that channels are asked for in their name. */
const askNames: AskNames = async (kind, { given, args }) =>
  kind === 'topic' ? ['orders', 'other'] : [`of-${given.get('topic')?.at(-1) ?? args[0]}`];

async function complete(text: string): Promise<readonly string[] | string> {
  const line = readCommandLine(text.split(' '), COMMANDS);
  const found = await candidates(line, COMMANDS, GROUPS, askNames);
  return typeof found === 'string' ? found : found.map(({ word }) => word);
}

describe('completion of', () => {
  test.each<[string, readonly string[] | string]>([
    ['', ['tail', 'topic', 'channel', 'help', 'completion']],
    ['t', ['tail', 'topic']],
    ['topic ', ['list', 'delete']],
    ['topic d', ['delete']],
    ['nothing ', []],
    ['help ', ['tail', 'topic', 'channel', 'help', 'completion']],
    ['help topic ', ['list', 'delete']],
    ['completion z', ['zsh']],
    ['topic delete o', ['orders', 'other']],
    ['topic delete orders or', ['orders']],
    ['topic list o', []],
    ['channel pause ', ['orders', 'other']],
    ['channel pause orders ', ['of-orders']],
    ['channel pause orders a ', ['of-orders']],
    ['tail --p', ['--print-topic']],
    ['tail -p', ['-print-topic']],
    ['tail --s', []],
    ['tail --no', ['--no-color']],
    [
      'tail -',
      ['--topic', '--channel', '-n', '--format', '--print-topic', '--no-color', '--config', '--help'],
    ],
    ['tail --topic ', ['orders', 'other']],
    ['tail --topic=or', ['--topic=orders']],
    ['tail -topic=or', ['-topic=orders']],
    ['tail --topic=a --topic orders --channel ', ['of-orders']],
    ['tail -n 1 -topic orders -channel=', ['-channel=of-orders']],
    ['tail --print-topic --topic o', ['orders', 'other']],
    ['tail --format ', ['line', 'raw']],
    ['tail --format=r', ['--format=raw']],
    ['tail --config /etc/', ':files'],
    ['tail --config=', ':files'],
    ['tail -n ', []],
    ['tail x', []],
    ['topic delete -- o', ['orders', 'other']],
    ['topic delete -- -', []],
  ])('%j', async (text, expected) => {
    const found = await complete(text);
    expect(found).toEqual(expected);
  });

  test('a command and a group say what they are', async () => {
    const line = readCommandLine(['t'], COMMANDS);
    expect(await candidates(line, COMMANDS, GROUPS, askNames)).toEqual([
      { word: 'tail', description: 'Print messages.' },
      { word: 'topic', description: 'Topics.' },
    ]);
  });
});

test.each([
  ['tail', TAIL_SETTINGS],
  ['to-file', TO_FILE_SETTINGS],
])('the words offered for --format of %s are formats', async (name, { format }) => {
  const flag = { name: 'format', type: 'option', helpValue: `<${placeholder(format)}>` } as const;
  const commands = [{ words: name, summary: '', usage: name, flags: [flag] }];
  const found = await candidates(readCommandLine([name, '--format', ''], commands), commands, [], askNames);
  const words = typeof found === 'string' ? [found] : found.map(({ word }) => word);
  expect(words).toEqual(['line', 'raw', 'json']);
  for (const word of words) messageFormat(word);
});
