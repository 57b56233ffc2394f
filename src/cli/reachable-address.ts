/** An address to connect to, for one that is listened on. */
export function reachableAddress(address: string): string {
  return address.replace(/^(0\.0\.0\.0|\[::\]):/, '127.0.0.1:');
}
