import { expect, it } from 'vitest';
import { placesOf } from '../../src/cli/places.js';

it('names lookupds, without what they are shown, or else nsqds', () => {
  const nsqdTcpAddresses = ['a:4150', 'b:4150'];
  expect(placesOf({ nsqdTcpAddresses })).toBe('a:4150, b:4150');
  expect(placesOf({ nsqdTcpAddresses, lookupdHttpAddresses: ['https://me:p@ss@c/x@y', 'd:4161'] })).toBe(
    'lookupd https://c/x@y, lookupd d:4161',
  );
});
