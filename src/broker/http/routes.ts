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
import type { Query } from './query.js';
import { stats } from './stats.js';

export interface Request {
  readonly broker: Broker;
  readonly query: Query;
  /** What the last part of `/config/…` named. */
  readonly option: string;
  readonly body: Buffer;
}

/** Text as it is, nothing for an empty body, everything else as JSON. */
export type Answer = string | undefined | { readonly json: unknown };

export interface Route {
  readonly handle: (request: Request) => Answer | Promise<Answer>;
  /** Bytes of body that are read at most; what is longer is answered with `tooLarge`. */
  readonly limit: (broker: Broker) => number;
  readonly tooLarge: string;
  /** An error is answered as plain text, as `/ping` does it. */
  readonly plainErrors?: boolean;
}

const SMALL_BODY = 64 * 1024;
const small = (handle: Route['handle']): Route => ({
  handle,
  limit: () => SMALL_BODY,
  tooLarge: 'BODY_TOO_BIG',
});

/** Every path of nsqd's HTTP API and its methods. */
export const ROUTES: ReadonlyMap<string, Readonly<Record<string, Route>>> = new Map<
  string,
  Record<string, Route>
>([
  ['/ping', { GET: { ...small(ping), plainErrors: true } }],
  ['/info', { GET: small(info) }],
  ['/pub', { POST: { handle: pub, limit: ({ settings }) => settings.maxMsgSize, tooLarge: 'MSG_TOO_BIG' } }],
  [
    '/mpub',
    { POST: { handle: mpub, limit: ({ settings }) => settings.maxBodySize, tooLarge: 'BODY_TOO_BIG' } },
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
