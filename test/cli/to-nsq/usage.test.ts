import { expect, test } from 'vitest';
import { ToNsq } from '../../../src/commands/to-nsq.js';
import { usageError } from '../relay/usage.js';

const TO = ['--destination-nsqd-tcp-address', 'a:1'];

test.each([
  [TO, /^--topic is missing$/],
  [['--topic', 't'], /^--destination-nsqd-tcp-address is missing$/],
  [['--topic', 'a b', ...TO], /^"a b" is no topic name$/],
  [['--topic', 't', '--channel', 'x!', ...TO], /^"x!" is no channel name$/],
  [['--topic', 't', ...TO, '--destination-topic', 'x!'], /^"x!" is no topic name$/],
  [
    ['--topic', 't', ...TO, '--mode', 'multicast'],
    /--mode: "multicast" is none of hostpool, round-robin, epsi/,
  ],
  [
    ['--topic', 't', '--topic', 'u', ...TO, '--consumer-opt', 'dead_letter_topic,u'],
    /^--dead-letter-topic u is a topic that messages are taken from$/,
  ],
  [['--topic', 't', ...TO, '--producer-opt', 'x,1'], /^--producer-opt.* option x$/],
  [['--topic', 't', ...TO, '--status-every', '-1'], /--status-every: -1 is out of range: 0 to 1000000$/],
])('%j is wrong usage', async (args, message) => expect(await usageError(ToNsq, args)).toMatch(message));
