import { describe, expect, test } from 'vitest';
import { FileName, type FileNameOptions, withRevision } from '../../../src/cli/to-file/file-name.js';

const OPTIONS: FileNameOptions = {
  filenameFormat: '<TOPIC>.<HOST><REV>.<DATETIME>.log',
  datetimeFormat: '%Y-%m-%d_%H',
  hostIdentifier: '',
  hostname: 'web7.example.org',
  pid: 4711,
  gzip: false,
  revisions: false,
};
const DATE = new Date(2026, 6, 8, 17);
const nameOf = (options: Partial<FileNameOptions>, topic = 'orders'): string =>
  new FileName(topic, { ...OPTIONS, ...options }).at(DATE);

describe('FileName', () => {
  test.each<[Partial<FileNameOptions>, string]>([
    [{}, 'orders.web7.2026-07-08_17.log'],
    [{ revisions: true }, 'orders.web7<REV>.2026-07-08_17.log'],
    [{ gzip: true, revisions: true }, 'orders.web7<REV>.2026-07-08_17.log.gz'],
    [{ gzip: true, revisions: true, filenameFormat: 'x<REV>.gz' }, 'x<REV>.gz'],
    [{ hostIdentifier: '<SHORT_HOST>-<HOSTNAME>-q' }, 'orders.web7-web7.example.org-q.2026-07-08_17.log'],
    [{ filenameFormat: '<TOPIC>/<PID>/<TOPIC><REV><REV>' }, 'orders/4711/orders'],
    [{ filenameFormat: "$&<TOPIC>$'" }, "$&orders$'"],
    [{ filenameFormat: '<DATETIME><DATETIME>', datetimeFormat: '%y' }, '2626'],
  ])('%j', (options, expected) => {
    expect(nameOf(options)).toBe(expected);
  });

  test('needs <REV> where files are numbered', () => {
    expect(() => nameOf({ revisions: true, filenameFormat: '<TOPIC>.log' })).toThrow(
      'missing <REV> in --filename-format when gzip, rotation, or work dir enabled',
    );
  });

  test('a topic cannot lead out of the directory', () => {
    expect(() => nameOf({ filenameFormat: '<TOPIC>/x' }, '..')).toThrow('".."');
    expect(nameOf({ filenameFormat: '<TOPIC>.log' }, '..')).toBe('...log');
  });

  test('revisions have six digits, everywhere', () => {
    expect(withRevision('a<REV>b<REV>', 12)).toBe('a-000012b-000012');
  });

  test('a slash at the end does not count', () => {
    expect(withRevision('a/<REV>//', 0)).toBe('a/-000000');
  });
});
