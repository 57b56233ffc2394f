import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { Lookupd } from '../../src/commands/lookupd.js';
import { Pub } from '../../src/commands/pub.js';
import { Serve } from '../../src/commands/serve.js';
import { Tail } from '../../src/commands/tail.js';

const DOCS = new URL('../../docs/', import.meta.url);
const text = readFileSync(new URL('CLUSTER.md', DOCS), 'utf8');
const COMMANDS = { lookupd: Lookupd, pub: Pub, serve: Serve, tail: Tail };

/** Every `nsq …` of the page's commands, also behind `docker` and `kubectl`. */
const commands = [...text.matchAll(/```(\w*)\n(.*?)```/gs)]
  .flatMap(([, language, block = '']) => (language === '' || language === 'sh' ? block.split('\n') : []))
  .flatMap((line) => /(?:^|\s)nsq ((?:serve|lookupd|pub|tail)\b[^#]*)/.exec(line)?.[1] ?? []);

/** As GitHub names a heading's anchor. */
function anchor(heading: string): string {
  return heading
    .toLowerCase()
    .replace(/[^\w -]/g, '')
    .replaceAll(' ', '-');
}

describe('docs/CLUSTER.md', () => {
  it.each(commands)('nsq %s: flags that there are', (line) => {
    const [name = '', ...words] = line.trim().split(/\s+/);
    const { flags } = COMMANDS[name as keyof typeof COMMANDS];
    for (const [, flag = ''] of words.flatMap((word) => [...word.matchAll(/^--([a-z-]+)/g)]))
      expect(Object.keys(flags)).toContain(flag);
  });

  it('has such commands', () => {
    expect(commands.length).toBeGreaterThan(10);
  });

  it('leads to pages, files and headings that there are', () => {
    const own = [...text.matchAll(/^## (.*)$/gm)].map(([, heading = '']) => anchor(heading));
    for (const [, target = ''] of text.matchAll(/\]\(([^)]+)\)/g)) {
      const [path = '', hash = ''] = target.split('#');
      if (path === '') expect(own).toContain(hash);
      else expect(existsSync(new URL(path, DOCS)), path).toBe(true);
    }
    for (const [path] of text.matchAll(/(?<![\w/])(?:deploy|bench|test)\/[\w./-]*\w/g))
      expect(existsSync(new URL(`../${path}`, DOCS)), path).toBe(true);
  });
});
