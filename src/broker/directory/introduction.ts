import * as v from 'valibot';

/** What a lookupd answers to IDENTIFY. nsqd takes what is missing for nothing, and so does this. */
const Introduction = v.object({
  broadcast_address: v.optional(v.string(), ''),
  http_port: v.optional(v.number(), 0),
  version: v.optional(v.string(), ''),
});

export interface LookupdIntroduction {
  /** `host:port`; undefined if it does not say. */
  readonly httpAddress: string | undefined;
  readonly version: string;
}

/** Undefined if the answer is none. An old nsqlookupd says `OK` and nothing about itself. */
export function readIntroduction(text: string): LookupdIntroduction | undefined {
  if (text === 'OK') return { httpAddress: undefined, version: 'unknown' };
  try {
    const { broadcast_address: host, http_port: port, version } = v.parse(Introduction, JSON.parse(text));
    const isThere = host !== '' && Number.isInteger(port) && port > 0 && port <= 65_535;
    return {
      httpAddress: isThere ? `${host.includes(':') ? `[${host}]` : host}:${port}` : undefined,
      version,
    };
  } catch {
    return undefined;
  }
}
