/** nsqd's name for a broker in keys: `host:port`, with `_` for what separates the parts of a key or ends it. */
function hostKey(address: string, httpPort: number): string {
  const host = address.includes(':') ? `[${address}]` : address;
  return `${host}:${httpPort}`.replaceAll(/[.:]/g, '_');
}

/** `--statsd-prefix` with the broker's name for each `%s`, and a dot at its end; empty if it is. */
export function brokerPrefix(prefix: string, address: string, httpPort: number): string {
  if (prefix === '') return '';
  const named = prefix.replaceAll('%s', () => hostKey(address, httpPort));
  return named.endsWith('.') ? named : `${named}.`;
}

/** How the keys begin: as in nsqd, for which a key is a format of Go, `%%` comes out as `%`. */
export function keyPrefix(ofBroker: string): string {
  return ofBroker.replaceAll('%%', '%');
}
