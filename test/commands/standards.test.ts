import { describe, expect, test } from 'vitest';
import { ChannelCreate } from '../../src/commands/channel/create.js';
import { ChannelDelete } from '../../src/commands/channel/delete.js';
import { ChannelEmpty } from '../../src/commands/channel/empty.js';
import { ChannelList } from '../../src/commands/channel/list.js';
import { ChannelPause } from '../../src/commands/channel/pause.js';
import { ChannelUnpause } from '../../src/commands/channel/unpause.js';
import { Lookupd } from '../../src/commands/lookupd.js';
import { Pub } from '../../src/commands/pub.js';
import { Serve } from '../../src/commands/serve.js';
import { Stat } from '../../src/commands/stat.js';
import { Tail } from '../../src/commands/tail.js';
import { ToFile } from '../../src/commands/to-file.js';
import { ToHttp } from '../../src/commands/to-http.js';
import { ToNsq } from '../../src/commands/to-nsq.js';
import { TopicCreate } from '../../src/commands/topic/create.js';
import { TopicDelete } from '../../src/commands/topic/delete.js';
import { TopicEmpty } from '../../src/commands/topic/empty.js';
import { TopicList } from '../../src/commands/topic/list.js';
import { TopicPause } from '../../src/commands/topic/pause.js';
import { TopicUnpause } from '../../src/commands/topic/unpause.js';

const COMMANDS = {
  'channel create': ChannelCreate,
  'channel delete': ChannelDelete,
  'channel empty': ChannelEmpty,
  'channel list': ChannelList,
  'channel pause': ChannelPause,
  'channel unpause': ChannelUnpause,
  'topic create': TopicCreate,
  'topic delete': TopicDelete,
  'topic empty': TopicEmpty,
  'topic list': TopicList,
  'topic pause': TopicPause,
  'topic unpause': TopicUnpause,
  stat: Stat,
  lookupd: Lookupd,
  pub: Pub,
  serve: Serve,
  tail: Tail,
  'to-file': ToFile,
  'to-http': ToHttp,
  'to-nsq': ToNsq,
};

/** What every command keeps to; a new one is added there. */
describe.each(Object.entries(COMMANDS))('nsq %s', (name, command) => {
  const flags = Object.entries(command.flags);

  test('says in one sentence what it does', () => {
    expect(command.summary).toMatch(/^[A-Z].*\.$/);
    expect(command.usage).toMatch(new RegExp(`^${name}( |$)`));
  });

  test('has examples, with flags that exist', () => {
    expect(command.examples.length).toBeGreaterThan(1);
    for (const example of command.examples) {
      expect(example.command).toMatch(new RegExp(`^nsq ${name}( |$)`));
      const [own = ''] = example.command.split(' | ');
      for (const [, flag = ''] of own.matchAll(/ --?([a-z][a-z-]*)/g))
        expect(flags.map(([key]) => key)).toContain(flag);
    }
  });

  test.each(flags)('--%s is explained in one line and can be repeated or negated', (_, flag) => {
    expect(flag.description).toMatch(/^[^\n]{10,160}$/);
    if (flag.type === 'boolean') expect(flag.allowNo).toBe(true);
    else
      expect(flag).toMatchObject({
        multiple: true,
        multipleNonGreedy: true,
        helpValue: expect.stringMatching(/^<.+>$/),
      });
  });

  test('takes the common flags', () => {
    expect(flags.map(([key]) => key)).toEqual(expect.arrayContaining(['config', 'color', 'version']));
  });
});
