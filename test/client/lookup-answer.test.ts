import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readLookup } from '../../src/client/discovery/lookup-answer.js';
import { distinctUrls, lookupUrl } from '../../src/client/discovery/lookup-url.js';

const GOOD = { broadcast_address: 'host', tcp_port: 4150 };

function addressesIn(producers: unknown): string[] {
  return [...readLookup({ status: 200, json: { producers } }).nsqds.keys()];
}

describe('readLookup', () => {
  it('takes the brokers, each once, and the index', () => {
    const json = {
      channels: ['c'],
      producers: [GOOD, GOOD, { ...GOOD, broadcast_address: '::1' }],
      index: 17,
    };
    const { nsqds, index } = readLookup({ status: 200, json });
    expect([...nsqds.keys()]).toEqual(['host:4150', '[::1]:4150']);
    expect(index).toBe(17);
  });

  it('a topic that is not there has no brokers', () => {
    const json = { message: 'TOPIC_NOT_FOUND', index: 3 };
    expect(readLookup({ status: 404, json })).toEqual({ nsqds: new Map(), index: 3 });
  });

  it('takes the answer of a nsqlookupd before 1.0', () => {
    const json = { status_code: 200, status_txt: 'OK', data: { channels: [], producers: [GOOD] } };
    expect([...readLookup({ status: 200, json }).nsqds.keys()]).toEqual(['host:4150']);
  });

  // nsqjs#142: one such entry took the whole consumer down.
  it.each([
    ['null', null],
    ['a text', 'host:4150'],
    ['a list', ['host', 4150]],
    ['no address', { tcp_port: 4150 }],
    ['an empty address', { ...GOOD, broadcast_address: '' }],
    ['an address with a port', { ...GOOD, broadcast_address: 'host:1' }],
    ['an address of another type', { ...GOOD, broadcast_address: 5 }],
    ['a path', { ...GOOD, broadcast_address: '/tmp/socket' }],
    ['no port', { broadcast_address: 'host' }],
    ['port 0', { ...GOOD, tcp_port: 0 }],
    ['a port that is too large', { ...GOOD, tcp_port: 65_536 }],
    ['a fraction of a port', { ...GOOD, tcp_port: 1.5 }],
    ['a port in quotes', { ...GOOD, tcp_port: '4150' }],
  ])('leaves out an entry that is %s, and takes the others', (_, entry) => {
    expect(addressesIn([entry, GOOD])).toEqual(['host:4150']);
  });

  it.each([
    ['no JSON', { status: 200, json: undefined }],
    ['a list', { status: 200, json: [] }],
    ['no producers', { status: 200, json: {} }],
    ['producers that are no list', { status: 200, json: { producers: { a: 1 } } }],
    ['an error', { status: 500, json: { message: 'INTERNAL_ERROR' } }],
    ['the answer of an nsqd, which looks nothing up', { status: 404, json: { message: 'NOT_FOUND' } }],
  ])('refuses %s', (_, answer) => {
    expect(() => readLookup(answer)).toThrow(/^answered/);
  });

  it('whatever comes is read or refused', () => {
    const anything = fc.record({ producers: fc.array(fc.anything()), index: fc.anything() });
    fc.assert(
      fc.property(fc.oneof(fc.anything(), anything), fc.constantFrom(200, 404, 500), (json, status) => {
        try {
          readLookup({ status, json });
        } catch (error) {
          expect(String(error)).toMatch(/^Error: answered/);
        }
      }),
    );
  });
});

describe('addresses of lookupds', () => {
  it.each([
    ['a:4161', 'http://a:4161/lookup?topic=t', 'a:4161'],
    ['http://a:4161', 'http://a:4161/lookup?topic=t', 'a:4161'],
    ['http://a', 'http://a/lookup?topic=t', 'a:80'],
    ['[::1]:4161', 'http://[::1]:4161/lookup?topic=t', '[::1]:4161'],
    ['https://a:4161', 'https://a:4161/lookup?topic=t', 'a:4161'],
    ['https://a', 'https://a/lookup?topic=t', 'a:443'],
    ['http://proxy/nsq/lookup', 'http://proxy/nsq/lookup?topic=t', 'proxy:80'],
  ])('%s', (text, href, address) => {
    const url = lookupUrl(text, 't');
    expect([url?.url.href, url?.text]).toEqual([href, address]);
  });

  it('are asked once each', () => {
    expect(distinctUrls(['a:1', 'http://a:1', 'b:1'], (text) => lookupUrl(text, 't'))).toHaveLength(2);
  });

  it.each(['', 'tcp://a:1', 'a b', 'ftp://a', 'http://', 'a:99999'])('%j is refused', (text) => {
    expect(() => lookupUrl(text, 't')).toThrow(expect.objectContaining({ code: 'E_OPTION' }));
  });
});
