import type { SourceAddresses } from './client-options.js';

/** What `http://user:password@host` has before the host, which is not for the screen. */
const CREDENTIALS = /(?<=:\/\/)[^/]*@/;

/** `lookupd a, lookupd b`, or the nsqds. */
export function placesOf({ nsqdTcpAddresses = [], lookupdHttpAddresses = [] }: SourceAddresses): string {
  const lookupds = [lookupdHttpAddresses].flat().map((one) => `lookupd ${one.replace(CREDENTIALS, '')}`);
  return (lookupds.length === 0 ? [nsqdTcpAddresses].flat() : lookupds).join(', ');
}
