import * as v from 'valibot';
import { goRegExp } from '../../protocol/go-regexp.js';
import { foldKeys } from './fold-keys.js';

const text = v.optional(v.nullable(v.string()), '');
const texts = v.optional(v.nullable(v.array(v.string())), []);

/** What an auth server answers (nsqd's documentation, "Auth"); fields may be missing, others are ignored. */
const Answer = v.object({
  ttl: v.optional(v.nullable(v.pipe(v.number(), v.safeInteger())), 0),
  identity: text,
  identity_url: text,
  authorizations: v.optional(
    v.nullable(v.array(v.object({ topic: text, channels: texts, permissions: texts }))),
    [],
  ),
});

interface Authorization {
  readonly topic: RegExp;
  readonly channels: readonly RegExp[];
  readonly publish: boolean;
  readonly subscribe: boolean;
}

/** What a client may do, and for how long that holds. */
export class Permissions {
  readonly identity: string;
  readonly identityUrl: string;
  /** Milliseconds that it holds for. */
  readonly ttl: number;
  readonly #authorizations: readonly Authorization[];

  /** @throws Error saying what is wrong with the answer */
  constructor(json: unknown) {
    const parsed = v.safeParse(Answer, foldKeys(json));
    if (!parsed.success) throw new Error('the answer is no authorization');
    const { ttl, identity, identity_url, authorizations } = parsed.output;
    this.identity = identity ?? '';
    this.identityUrl = identity_url ?? '';
    this.#authorizations = (authorizations ?? []).map((one) => ({
      topic: compile('topic', one.topic ?? ''),
      channels: (one.channels ?? []).map((channel) => compile('channel', channel)),
      ...permissionsOf(one.permissions ?? []),
    }));
    if ((ttl ?? 0) <= 0) throw new Error(`invalid TTL ${ttl} (must be >0)`);
    this.ttl = (ttl ?? 0) * 1000;
  }

  /** How many authorizations there are. */
  get count(): number {
    return this.#authorizations.length;
  }

  /** Publishing is asked about without a channel: one of the channel patterns must match the empty name then. */
  allows(topic: string, channel: string): boolean {
    return this.#authorizations.some(
      (one) =>
        (channel === '' ? one.publish : one.subscribe) &&
        one.topic.test(topic) &&
        one.channels.some((pattern) => pattern.test(channel)),
    );
  }
}

function permissionsOf(names: readonly string[]): { publish: boolean; subscribe: boolean } {
  const unknown = names.find((name) => name !== 'publish' && name !== 'subscribe');
  if (unknown !== undefined) throw new Error(`unknown permission ${unknown}`);
  return { publish: names.includes('publish'), subscribe: names.includes('subscribe') };
}

function compile(what: string, pattern: string): RegExp {
  try {
    return goRegExp(pattern);
  } catch (cause) {
    throw new Error(`unable to compile ${what} ${JSON.stringify(pattern)}`, { cause });
  }
}
