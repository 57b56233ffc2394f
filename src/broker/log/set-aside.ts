import { basename, dirname } from 'node:path';
import type { Logger } from '../logger.js';
import type { Files } from './files.js';

const BAD = '.bad';

/** Gives what cannot be used a name under which no start takes it, and says so; it is never removed. */
export function setAside(files: Files, path: string, why: string, logger: Logger): void {
  const taken = new Set(files.readdirSync(dirname(path)));
  let aside = BAD;
  for (let i = 2; taken.has(basename(path) + aside); i++) aside = `${BAD}${i}`;
  logger.error(`${path} ${why}: set aside as ${path}${aside}`);
  files.renameSync(path, path + aside);
}

/** Whether it is a file; what else has its name is set aside. */
export function isFileOrAside(files: Files, path: string, logger: Logger): boolean {
  if (files.isFileSync(path)) return true;
  setAside(files, path, 'is no file', logger);
  return false;
}
