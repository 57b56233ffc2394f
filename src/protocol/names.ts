/**
 * Names of topics and channels: 1 to 64 characters of `.a-zA-Z0-9_-`, then an optional `#ephemeral`,
 * 64 characters in all (TCP protocol specification, "Topic and channel names").
 */
const NAME = /^[.a-zA-Z0-9_-]+(#ephemeral)?$/;
const MAX_NAME_LENGTH = 64;
const EPHEMERAL = '#ephemeral';

export function isValidName(name: string): boolean {
  return name.length <= MAX_NAME_LENGTH && NAME.test(name) && !name.endsWith('\n');
}

/** Ephemeral topics and channels live in memory only, and go with their last channel or consumer. */
export function isEphemeral(name: string): boolean {
  return name.endsWith(EPHEMERAL);
}
