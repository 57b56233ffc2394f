import { parseQuery } from '../../http/query.js';
import { HttpServer as DaemonServer } from '../../http/server.js';
import type { Broker } from '../broker.js';
import { type Request, ROUTES } from './routes.js';

/** nsqd's HTTP API. */
export class HttpServer extends DaemonServer<Broker, Request> {
  constructor(broker: Broker) {
    super({
      context: broker,
      routes: ROUTES,
      request: ({ rawQuery, option, body }) => ({ broker, query: parseQuery(rawQuery), option, body }),
    });
  }
}
