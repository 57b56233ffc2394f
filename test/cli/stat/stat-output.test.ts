import { expect, test } from 'vitest';
import { type OutputChoice, outputFor } from '../../../src/cli/stat/stat-output.js';

const PIPE: OutputChoice = { output: undefined, json: false, perNode: false, query: {}, isTerminal: false };
const ONE = { topic: 't', channel: 'c' };

test.each<[string, Partial<OutputChoice>, string]>([
  ['a terminal', { isTerminal: true }, 'table'],
  ['one channel on a terminal', { isTerminal: true, query: ONE }, 'table'],
  ['a pipe', {}, 'tsv'],
  ['a topic into a pipe', { query: { topic: 't' } }, 'tsv'],
  ['one channel into a pipe, as nsq_stat', { query: ONE }, 'nsq_stat'],
  ['one channel at each nsqd', { query: ONE, perNode: true }, 'tsv'],
  ['--json', { json: true, query: ONE }, 'json'],
  ['--output', { output: 'tsv', query: ONE }, 'tsv'],
  ['--output nsq_stat on a terminal', { output: 'nsq_stat', query: ONE, isTerminal: true }, 'nsq_stat'],
])('%s', (_, choice, expected) => {
  expect(outputFor({ ...PIPE, ...choice })).toBe(expected);
});

test.each<[Partial<OutputChoice>, string]>([
  [{ json: true, output: 'tsv' }, '--json and --output tsv'],
  [{ output: 'nsq_stat', query: { topic: 't' } }, 'needs --topic and --channel'],
  [{ output: 'nsq_stat', query: ONE, perNode: true }, 'no --per-node'],
])('%j is refused', (choice, words) => {
  expect(() => outputFor({ ...PIPE, ...choice })).toThrow(words);
});
