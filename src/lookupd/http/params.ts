import { HttpError, type Query } from '../../http/query.js';
import { isValidName } from '../../protocol/names.js';

/** @throws HttpError 400 `MISSING_ARG_…` */
export function requiredParam(query: Query, name: string): string {
  const value = query.get(name);
  if (value === undefined) throw new HttpError(400, `MISSING_ARG_${name.toUpperCase()}`);
  return value;
}

/** The name of a topic or channel. @throws HttpError 400 `MISSING_ARG_…` or `INVALID_ARG_…` */
export function nameParam(query: Query, name: 'topic' | 'channel'): string {
  const value = requiredParam(query, name);
  if (!isValidName(value)) throw new HttpError(400, `INVALID_ARG_${name.toUpperCase()}`);
  return value;
}
