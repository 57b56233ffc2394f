import type { Route, Routes } from '../../http/route.js';
import type { Lookupd } from '../lookupd.js';
import { channelCreate, channelDelete, topicCreate, topicDelete, topicTombstone } from './admin.js';
import { channels, debug, info, ping, topics } from './info.js';
import { lookup } from './lookup.js';
import { nodes } from './nodes.js';

export interface Request {
  readonly lookupd: Lookupd;
  readonly rawQuery: string;
  /** Calls `listener` once, when the answer is out or the client has gone. */
  readonly onClosed: (listener: () => void) => void;
}

/** Bodies are read and left alone, as nsqlookupd does it. */
const MAX_BODY = 64 * 1024;

/** Every path of nsqlookupd's HTTP API and its method, but for Go's profiler. */
export const ROUTES: Routes<Lookupd, Request> = new Map([
  ['/ping', { GET: { ...route(ping), plain: true } }],
  ['/info', { GET: route(info) }],
  ['/lookup', { GET: route(lookup) }],
  ['/topics', { GET: route(topics) }],
  ['/channels', { GET: route(channels) }],
  ['/nodes', { GET: route(nodes) }],
  ['/debug', { GET: route(debug) }],
  ['/topic/create', { POST: route(topicCreate) }],
  ['/topic/delete', { POST: route(topicDelete) }],
  ['/topic/tombstone', { POST: route(topicTombstone) }],
  ['/channel/create', { POST: route(channelCreate) }],
  ['/channel/delete', { POST: route(channelDelete) }],
]);

function route(handle: Route<Lookupd, Request>['handle']): Route<Lookupd, Request> {
  return { handle, limit: () => MAX_BODY, tooLarge: 'BODY_TOO_BIG' };
}
