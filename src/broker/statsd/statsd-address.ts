interface StatsdAddress {
  readonly host: string;
  readonly port: number;
}

const ADDRESS = /^(?:\[([^\]\s]+)\]|([^:/\s[\]]*)):(\d{1,5})$/;

/** As nsqd, "every address" stands for this machine. */
const THIS_MACHINE: Readonly<Record<string, string>> = {
  '': '127.0.0.1',
  '0.0.0.0': '127.0.0.1',
  '::': '::1',
};

/** Reads `<host>:<port>` (an IPv6 address in brackets; no host at all for this machine); undefined if it is none. */
export function parseStatsdAddress(text: string): StatsdAddress | undefined {
  const match = ADDRESS.exec(text);
  const port = Number(match?.[3]);
  if (!match || port < 1 || port > 65_535) return undefined;
  const host = match[1] ?? match[2] ?? '';
  return { host: THIS_MACHINE[host] ?? host, port };
}

/** What is wrong with an address; empty if nothing is. */
export function complaintAboutStatsdAddress(text: string): string {
  return text === '' || parseStatsdAddress(text) ? '' : `must be <host>:<port>, not '${text}'`;
}
