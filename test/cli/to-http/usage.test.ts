import { expect, test } from 'vitest';
import { ToHttp } from '../../../src/commands/to-http.js';
import { usageError } from '../relay/usage.js';

const POST = ['--post', 'http://h/'];

test.each([
  [POST, /^--topic is missing$/],
  [['--topic', 'a b', ...POST], /^"a b" is no topic name$/],
  [['--topic', 't', '--channel', '', ...POST], /^--channel is missing$/],
  [['--topic', 't'], /^--post or --get is missing$/],
  [['--topic', 't', ...POST, '--get', 'http://h/%s'], /^use --get or --post, not both$/],
  [['--topic', 't', '--get', 'http://h/'], /^--get "http:\/\/h\/" needs one %s/],
  [['--topic', 't', '--post', 'h:80/x'], /^--post "h:80\/x" is no http or https URL$/],
  [['--topic', 't', ...POST, '--sample', '1.5'], /--sample: "1.5" is no number from 0 to 1$/],
  [['--topic', 't', ...POST, '--sample', '-0.1'], /--sample: "-0.1" is no number from 0 to 1$/],
  [['--topic', 't', ...POST, '--sample', 'x'], /--sample: "x" is no number from 0 to 1$/],
  [['--topic', 't', ...POST, '--header', 'x'], /^--header "x" is not "name: value"$/],
  [
    ['--topic', 't', ...POST, '--mode', 'all'],
    /--mode: "all" is none of hostpool, round-robin, epsilon-greedy/,
  ],
  [['--topic', 't', ...POST, '--content-type='], /^--content-type is empty$/],
  [['--topic', 't', ...POST, '--content-type=a\nb'], /^--header "content-type: a\\nb" is not "name: value"$/],
  [['--topic', 't', '--get', 'http://h/%s', '--content-type', 'a/b'], /^--content-type is for --post only$/],
  [['--topic', 't', ...POST, '-n', '0'], /-n: 0 is out of range: 1 to 65535$/],
  [['--topic', 't', ...POST, '--max-attempts', '-1'], /--max-attempts: -1 is out of range: 0 to 65535$/],
  [['--topic', 't', ...POST, '--dead-letter-topic', 'x!'], /^"x!" is no topic name$/],
  [['--topic', 't', ...POST, '--dead-letter-topic', 't'], /^--dead-letter-topic t is a topic that messages/],
  [
    ['--topic', 't', ...POST, '--dead-letter-topic', 'd', '--max-attempts', '0'],
    /^--dead-letter-topic is without effect: --max-attempts 0 gives no message up$/,
  ],
  [
    ['--topic', 't', ...POST, '--nsqd-tcp-address', 'a:1', '--lookupd-http-address', 'b:1'],
    /^use --nsqd-tcp-address or --lookupd-http-address, not both$/,
  ],
])('%j is wrong usage', async (args, message) => expect(await usageError(ToHttp, args)).toMatch(message));
