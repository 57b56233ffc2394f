import type { ChalkInstance } from 'chalk';
import { columns } from '../columns.js';
import { reachableAddress } from '../reachable-address.js';

export interface LookupdAddresses {
  readonly tcpAddress: string;
  readonly httpAddress: string;
}

/** What `nsq lookupd` shows on a terminal once it listens. */
export function lookupdSummary(
  { tcpAddress, httpAddress }: LookupdAddresses,
  version: string,
  colors: ChalkInstance,
): string {
  const rows = [
    ['TCP', `${tcpAddress} ${colors.dim('(brokers register here)')}`],
    ['HTTP', `${httpAddress} ${colors.dim('(clients ask here)')}`],
  ];
  return [
    `${colors.green('nsq')} ${version}: the lookupd is ready`,
    ...columns(rows.map(([label = '', value = '']) => [colors.bold(label), value])),
    '',
    ...columns([
      [
        colors.dim('a broker that registers'),
        `nsq serve --lookupd-tcp-address ${reachableAddress(tcpAddress)}`,
      ],
      [
        colors.dim('a topic of all brokers'),
        `nsq tail --topic test --lookupd-http-address ${reachableAddress(httpAddress)}`,
      ],
      [colors.dim('stop'), 'Ctrl-C'],
    ]),
  ].join('\n');
}
