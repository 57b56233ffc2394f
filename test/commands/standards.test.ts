import { describe, expect, test } from 'vitest';
import { Lookupd } from '../../src/commands/lookupd.js';
import { Pub } from '../../src/commands/pub.js';
import { Serve } from '../../src/commands/serve.js';
import { Tail } from '../../src/commands/tail.js';

const COMMANDS = { lookupd: Lookupd, pub: Pub, serve: Serve, tail: Tail };

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
