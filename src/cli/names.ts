import { isValidName } from '../protocol/names.js';
import { UsageError } from './errors.js';

const RULE = 'Names are 1 to 64 characters of .a-zA-Z0-9_-, with #ephemeral at the end where wanted';

/** The name of a topic or channel as given with a flag. Throws {@link UsageError} if it is missing or not one. */
export function checkedName(flag: 'topic' | 'channel', name: string | undefined): string {
  if (name === undefined || name === '') {
    throw new UsageError(`--${flag} is missing`, { hint: `Name a ${flag}, as in --${flag} test` });
  }
  if (!isValidName(name)) throw new UsageError(`"${name}" is no ${flag} name`, { hint: RULE });
  return name;
}
