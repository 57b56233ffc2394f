import { describe, expect, test } from 'vitest';
import {
  type MessageFormat,
  messageFormat,
  type ShownMessage,
  withTopic,
} from '../../../src/cli/tail/message-format.js';

const MESSAGE: ShownMessage = {
  topic: 'orders',
  channel: 'audit',
  id: '0123456789abcdef',
  timestamp: 1_700_000_000_123_456_789n,
  attempts: 2,
  nsqdAddress: '127.0.0.1:4150',
  body: Buffer.from('héllo'),
};
const BINARY = { ...MESSAGE, body: Buffer.of(0xff, 0x00, 0x0a) };
const show = (name: string, message = MESSAGE): Buffer => Buffer.concat(messageFormat(name)(message));

describe('messageFormat', () => {
  test.each([
    ['line', 'héllo\n'],
    ['raw', 'héllo'],
    ['%v', 'héllo\n'],
    [
      '%t %c %i %a %d %n %v',
      'orders audit 0123456789abcdef 2 2023-11-14T22:13:20.123456789Z 127.0.0.1:4150 héllo\n',
    ],
    ['100%%\\t%a', '100%\t2\n'],
  ])('%s', (name, expected) => {
    expect(show(name).toString()).toBe(expected);
  });

  test('bytes stay bytes', () => {
    expect(show('raw', BINARY)).toEqual(BINARY.body);
    expect(show('line', BINARY)).toEqual(Buffer.of(0xff, 0x00, 0x0a, 0x0a));
  });

  test('json: one object a line, the timestamp with all its digits', () => {
    expect(show('json').toString()).toBe(
      '{"topic":"orders","channel":"audit","id":"0123456789abcdef","timestamp":1700000000123456789,' +
        '"attempts":2,"nsqd":"127.0.0.1:4150","body":"héllo"}\n',
    );
  });

  test('json: what is not UTF-8 comes as base64, and says so', () => {
    expect(JSON.parse(show('json', BINARY).toString())).toMatchObject({ body: '/wAK', encoding: 'base64' });
  });

  test('the topic before the message', () => {
    expect(Buffer.concat(withTopic(messageFormat('line'))(MESSAGE)).toString()).toBe('orders | héllo\n');
  });

  test('a topic has its colour where its name is shown; without a name the whole line has it', () => {
    const paint = (topic: string): [string, string] => [`<${topic}>`, '</>'];
    const shown = (format: MessageFormat): string => Buffer.concat(format(MESSAGE)).toString();
    expect(shown(messageFormat('%t %v', paint))).toBe('<orders>orders</> héllo\n');
    expect(shown(messageFormat('line', paint))).toBe('<orders>héllo</>\n');
    expect(shown(withTopic(messageFormat('line'), paint))).toBe('<orders>orders</> | héllo\n');
  });

  test.each(['jsno', '%x'])('%s is refused', (name) => {
    expect(() => messageFormat(name)).toThrow(name);
  });
});
