import { resolve } from 'node:path';
import type { ChalkInstance } from 'chalk';
import { columns } from '../columns.js';
import { reachableAddress } from '../reachable-address.js';

export interface BrokerAddresses {
  readonly tcpAddress: string;
  /** '' without HTTP. */
  readonly httpAddress: string;
  /** '' without HTTPS. */
  readonly httpsAddress: string;
  readonly dataPath: string;
}

const PROMISES: Readonly<Record<string, string>> = {
  os: 'an OK means: in the file, survives kill -9',
  fsync: 'an OK means: on stable storage, survives power failure',
  memory: 'an OK means: in memory, lost by kill -9',
};
const DEFAULT_TCP = /^(0\.0\.0\.0|127\.0\.0\.1|\[::1?\]|localhost):4150$/;

/** What `nsq serve` shows on a terminal once it listens. */
export function startupSummary(
  { tcpAddress, httpAddress, httpsAddress, dataPath }: BrokerAddresses,
  durability: string,
  version: string,
  colors: ChalkInstance,
): string {
  const rows = [
    ['TCP', tcpAddress],
    ['HTTP', httpAddress === '' ? 'off' : httpAddress],
    ...(httpsAddress === '' ? [] : [['HTTPS', httpsAddress]]),
    ['data path', resolve(dataPath)],
    ['durability', `${durability} ${colors.dim(`(${PROMISES[durability] ?? ''})`)}`],
  ];
  const at = DEFAULT_TCP.test(tcpAddress) ? '' : ` --nsqd-tcp-address ${reachableAddress(tcpAddress)}`;
  return [
    `${colors.green('nsq')} ${version}: the broker is ready`,
    ...columns(rows.map(([label = '', value = '']) => [colors.bold(label), value])),
    '',
    ...columns([
      [colors.dim('watch a topic'), `nsq tail --topic test${at}`],
      [colors.dim('publish to it'), `nsq pub --topic test${at} 'hello'`],
      [colors.dim('stop'), 'Ctrl-C'],
    ]),
  ].join('\n');
}
