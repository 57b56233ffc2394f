import { describe, expect, test } from 'vitest';
import { topicPattern } from '../../../src/cli/to-file/topic-pattern.js';

describe('topicPattern', () => {
  test.each<[string, string[], string[]]>([
    ['orders', ['orders', 'my.orders#ephemeral'], ['order']],
    ['^orders\\.', ['orders.eu'], ['orders', 'my.orders.eu']],
    ['\\Aa.\\z', ['ab'], ['abc', 'xab']],
    ['(?i)^OR', ['orders'], ['xor']],
    ['^[[:alpha:]_]+$', ['a_b'], ['a1']],
    ['^[^[:digit:]]+$', ['ab'], ['a1']],
    ['^[]a]+$', ['aa'], ['b']],
    ['^[^]a]+$', ['bb'], ['a']],
    ['^\\Qa.b\\E.$', ['a.bc'], ['axbc']],
    ['^(?P<name>a|b)$', ['a'], ['c']],
    ['^(?:a|b){2}\\-?$', ['ab', 'ba-'], ['a']],
    ['^(?!test)', ['prod'], ['test.a']],
  ])('%s', (pattern, matching, others) => {
    const expression = topicPattern(pattern);
    expect(matching.filter((topic) => expression.test(topic))).toEqual(matching);
    expect(others.filter((topic) => expression.test(topic))).toEqual([]);
  });

  test.each(['(', '[a', '\\pL', 'a**', '(?U:a)', '[[:nope:]]', '\\1'])('%s is refused', (pattern) => {
    expect(() => topicPattern(pattern)).toThrow(/^invalid value for --topic-pattern: ".*": ./);
  });
});
