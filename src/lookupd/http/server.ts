import { HttpServer } from '../../http/server.js';
import type { Lookupd } from '../lookupd.js';
import { type Request, ROUTES } from './routes.js';

/** nsqlookupd's HTTP API. */
export class LookupdHttpServer extends HttpServer<Lookupd, Request> {
  constructor(lookupd: Lookupd) {
    super({
      context: lookupd,
      routes: ROUTES,
      request: ({ rawQuery, onClosed }) => ({ lookupd, rawQuery, onClosed }),
    });
  }
}
