import { parseQuery, type Query } from '../../http/query.js';
import { HttpServer as DaemonServer } from '../../http/server.js';
import type { Broker } from '../broker.js';
import { type Request, ROUTES } from './routes.js';

/** nsqd's HTTP API. */
export class HttpServer extends DaemonServer<Broker, Request> {
  constructor(broker: Broker) {
    super({
      context: broker,
      routes: ROUTES,
      request: ({ rawQuery, option, body }) => {
        let query: Query | undefined;
        return {
          broker,
          option,
          body,
          // A query that cannot be read is the trouble of the routes that read it.
          get query(): Query {
            query ??= parseQuery(rawQuery);
            return query;
          },
        };
      },
    });
  }
}
