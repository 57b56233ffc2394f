import type { Query } from '../../http/query.js';
import type { Route, Routes } from '../../http/route.js';
import type { Broker } from '../broker.js';
import {
  channelCreate,
  channelDelete,
  channelEmpty,
  channelPause,
  topicCreate,
  topicDelete,
  topicEmpty,
  topicPause,
} from './admin.js';
import { configGet, configPut } from './config.js';
import { info, ping } from './info.js';
import { mpub, pub } from './publish.js';
import { stats } from './stats.js';

export interface Request {
  readonly broker: Broker;
  readonly query: Query;
  /** What the last part of `/config/…` named. */
  readonly option: string;
  readonly body: Buffer;
}

type BrokerRoute = Route<Broker, Request>;

const SMALL_BODY = 64 * 1024;
const small = (handle: BrokerRoute['handle']): BrokerRoute => ({
  handle,
  limit: () => SMALL_BODY,
  tooLarge: 'BODY_TOO_BIG',
});

/** Every path of nsqd's HTTP API and its methods. */
export const ROUTES: Routes<Broker, Request> = new Map<string, Record<string, BrokerRoute>>([
  ['/ping', { GET: { ...small(ping), plain: true } }],
  ['/info', { GET: small(info) }],
  [
    '/pub',
    {
      POST: {
        handle: pub,
        limit: ({ settings }) => settings.maxMsgSize,
        tooLarge: 'MSG_TOO_BIG',
        quiet: true,
      },
    },
  ],
  [
    '/mpub',
    {
      POST: {
        handle: mpub,
        limit: ({ settings }) => settings.maxBodySize,
        tooLarge: 'BODY_TOO_BIG',
        quiet: true,
      },
    },
  ],
  ['/stats', { GET: small(stats) }],
  ['/topic/create', { POST: small(topicCreate) }],
  ['/topic/delete', { POST: small(topicDelete) }],
  ['/topic/empty', { POST: small(topicEmpty) }],
  ['/topic/pause', { POST: small((request) => topicPause(request, true)) }],
  ['/topic/unpause', { POST: small((request) => topicPause(request, false)) }],
  ['/channel/create', { POST: small(channelCreate) }],
  ['/channel/delete', { POST: small(channelDelete) }],
  ['/channel/empty', { POST: small(channelEmpty) }],
  ['/channel/pause', { POST: small((request) => channelPause(request, true)) }],
  ['/channel/unpause', { POST: small((request) => channelPause(request, false)) }],
  [
    '/config/',
    {
      GET: small(configGet),
      PUT: { handle: configPut, limit: ({ settings }) => settings.maxMsgSize, tooLarge: 'INVALID_VALUE' },
    },
  ],
]);
