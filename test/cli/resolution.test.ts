import { describe, expect, test } from 'vitest';
import { resolveSettings } from '../../src/cli/resolution.js';
import { defineSettings } from '../../src/cli/settings.js';

const SETTINGS = defineSettings({
  topic: { kind: 'string', doc: '' },
  'max-in-flight': { kind: 'int', doc: '', default: 200, min: 1, max: 2500 },
  'msg-timeout': { kind: 'duration', doc: '', default: 60_000 },
  'node-id': { kind: 'int', doc: '', config: 'id', default: 1 },
  json: { kind: 'boolean', doc: '', default: false },
  address: { kind: 'strings', doc: '', default: ['127.0.0.1:4150'], placeholder: 'address' },
  opt: { kind: 'strings', doc: '', default: [], verbatim: true },
  level: { kind: 'choice', doc: '', default: 'info', choices: ['debug', 'info'] },
});
const file = (values: Record<string, unknown>) => ({ path: 'nsq.toml', values });

describe('precedence', () => {
  const all = {
    flags: { 'max-in-flight': ['1'] },
    environment: { NSQ_MAX_IN_FLIGHT: '2' },
    file: file({ max_in_flight: 3 }),
  };

  test.each([
    ['flag', 1, all.flags, all.environment, all.file],
    ['environment', 2, {}, all.environment, all.file],
    ['file', 3, {}, {}, all.file],
    ['default', 200, {}, {}, undefined],
  ] as const)('%s', (source, value, flags, environment, given) => {
    const resolution = resolveSettings(SETTINGS, flags, environment, given);
    expect(resolution.values['max-in-flight']).toBe(value);
    expect(resolution.sources.get('max-in-flight')).toBe(source);
  });

  test('a flag turns off what the environment and the file turn on', () => {
    const { values } = resolveSettings(SETTINGS, { json: false }, { NSQ_JSON: 'true' }, file({ json: true }));
    expect(values.json).toBe(false);
  });

  test('an empty variable is none', () => {
    expect(resolveSettings(SETTINGS, {}, { NSQ_TOPIC: '' }).values.topic).toBeUndefined();
  });

  test('of a repeated flag the last counts, and a list takes all', () => {
    const { values } = resolveSettings(SETTINGS, { topic: ['a', 'b'], address: ['x:1', 'y:2,z:3'] }, {});
    expect(values).toMatchObject({ topic: 'b', address: ['x:1', 'y:2', 'z:3'] });
  });

  test('an item with commas in it stays whole where it has to', () => {
    expect(resolveSettings(SETTINGS, { opt: ['max_in_flight,5'] }, {}).values.opt).toEqual([
      'max_in_flight,5',
    ]);
  });
});

describe('values', () => {
  test.each(['', ','])('an address %j is no address, rather than the default one', (text) => {
    const given = { address: ['a:1', text] };
    expect(() => resolveSettings(SETTINGS, given, {})).toThrow(
      'invalid value for --address: the address is empty',
    );
    expect(resolveSettings(SETTINGS, {}, { NSQ_ADDRESS: '' }).sources.get('address')).toBe('default');
  });

  test.each([
    ['a duration in words', { msg_timeout: '1m30s' }, 'msg-timeout', 90_000],
    ['a duration in milliseconds', { msg_timeout: 1500 }, 'msg-timeout', 1500],
    ['a duration in milliseconds as text', { msg_timeout: '1500' }, 'msg-timeout', 1500],
    ['the original key', { id: 5 }, 'node-id', 5],
    ['the key after the flag', { node_id: 6 }, 'node-id', 6],
    ['a list', { address: ['a:1', 'b:2'] }, 'address', ['a:1', 'b:2']],
    ['a single text for a list', { address: 'a:1' }, 'address', ['a:1']],
    ['a number in quotes', { max_in_flight: '7' }, 'max-in-flight', 7],
    ['a hexadecimal number', { max_in_flight: '0x10' }, 'max-in-flight', 16],
    ['a choice in capitals', { level: 'DEBUG' }, 'level', 'debug'],
  ])('from a file: %s', (_, values, flag, expected) => {
    expect(resolveSettings(SETTINGS, {}, {}, file(values)).values[flag]).toEqual(expected);
  });

  test.each([
    [
      { 'max-in-flight': ['many'] },
      {},
      {},
      'invalid value for --max-in-flight: "many" is not a whole number',
    ],
    [{ 'max-in-flight': ['0'] }, {}, {}, 'invalid value for --max-in-flight: 0 is out of range: 1 to 2500'],
    [
      { 'msg-timeout': ['60'] },
      {},
      {},
      'invalid value for --msg-timeout: invalid duration "60": a unit is missing',
    ],
    [{ level: ['loud'] }, {}, {}, 'invalid value for --level: "loud" is none of debug, info'],
    [{}, { NSQ_JSON: 'perhaps' }, {}, 'invalid value for NSQ_JSON: "perhaps" is neither true nor false'],
    [{}, {}, { id: 'x' }, 'invalid value for id in nsq.toml: "x" is not a whole number'],
    [{}, {}, { topic: ['a'] }, 'invalid value for topic in nsq.toml: a single value is needed'],
    [
      {},
      {},
      { topic: { a: 1 } },
      'invalid value for topic in nsq.toml: a string, a number or a boolean is needed',
    ],
  ])('%j %j %j is refused', (flags, environment, values, message) => {
    expect(() => resolveSettings(SETTINGS, flags, environment, file(values))).toThrow(message);
  });

  test('an unknown key is named, with the near one', () => {
    expect(resolveSettings(SETTINGS, {}, {}, file({ msg_timeut: '1s' })).warnings).toEqual([
      'nsq.toml: the key msg_timeut is unknown and ignored (did you mean msg_timeout?)',
    ]);
  });
});
