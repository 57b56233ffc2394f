import { describe, expect, test } from 'vitest';
import { UsageError } from '../../../src/cli/errors.js';
import { FollowedTopics } from '../../../src/cli/to-file/followed-topics.js';
import { recorder } from './support/logs.js';

/** Follows lists of topics, all of them complete but those that begin with `?`. */
function following(pattern?: RegExp) {
  const topics: string[] = [];
  const connected = new Set<string>();
  const { logger, lines } = recorder();
  const followed = new FollowedTopics(
    {
      topics,
      add: async (topic) => {
        if (topic === '..') throw new UsageError('no file name');
        topics.push(topic);
      },
      remove: async (topic) => void topics.splice(topics.indexOf(topic), 1),
      isConnected: (topic) => connected.has(topic),
    },
    pattern,
    logger,
  );
  const follow = async (list: string): Promise<string> => {
    const names = list.split(' ').filter((name) => name !== '' && name !== '?');
    await followed.follow({ topics: new Set(names), isComplete: !list.startsWith('?') });
    return topics.join(' ');
  };
  return { follow, connected, lines };
}

describe('FollowedTopics', () => {
  test('adds each topic that matches, once', async () => {
    const { follow, lines } = following(/^o/);
    expect(await follow('orders users')).toBe('orders');
    expect(await follow('orders offers users')).toBe('orders offers');
    expect(lines.filter((line) => line.includes('users'))).toHaveLength(1);
  });

  test('a topic that is deleted is let go, one that comes back is added again', async () => {
    const { follow } = following();
    await follow('a b');
    expect(await follow('a')).toBe('a b');
    expect(await follow('a')).toBe('a');
    expect(await follow('a b')).toBe('a b');
  });

  test('not while a lookupd is silent, nor while a broker has it', async () => {
    const { follow, connected } = following();
    connected.add('b');
    await follow('a b');
    for (const list of ['? ', '? ', '? ']) expect(await follow(list)).toBe('a b');
    for (const list of ['', '', '']) await follow(list);
    expect(await follow('')).toBe('b');
  });

  test('a topic whose files cannot be named is skipped with a warning', async () => {
    const { follow, lines } = following();
    expect(await follow('.. a')).toBe('a');
    expect(await follow('.. a')).toBe('a');
    expect(lines.filter((line) => line.startsWith('warn'))).toEqual(['warn skipping topic ..: no file name']);
  });

  test('says when there is nothing yet', async () => {
    const { follow, lines } = following(/x/);
    await follow('a');
    expect(lines.at(-1)).toMatch(/^info no topic/);
  });
});
