import * as v from 'valibot';
import { requestJson } from '../../net/json-request.js';
import { isEphemeral, isValidName } from '../../protocol/names.js';

export interface HttpTimeouts {
  /** Longest wait for a connection, ms. */
  readonly httpClientConnectTimeout: number;
  /** Longest wait for an answer, ms. */
  readonly httpClientRequestTimeout: number;
}

const MAX_BYTES = 4 * 1024 * 1024;
const Channels = v.object({ channels: v.nullable(v.array(v.unknown())) });

/** The lasting channels that a lookupd knows of a topic. Rejects when it does not say. */
export async function lookUpChannels(
  httpAddress: string,
  topic: string,
  timeouts: HttpTimeouts,
  signal: AbortSignal,
): Promise<string[]> {
  const { status, json } = await requestJson({
    url: `http://${httpAddress}/channels?topic=${encodeURIComponent(topic)}`,
    connectTimeout: timeouts.httpClientConnectTimeout,
    timeout: timeouts.httpClientRequestTimeout,
    maxBytes: MAX_BYTES,
    signal,
  });
  const answer = v.safeParse(Channels, json);
  if (status !== 200 || !answer.success) throw new Error(`${httpAddress} answered with status ${status}`);
  const names = (answer.output.channels ?? []).filter(
    (name) => typeof name === 'string' && isValidName(name),
  );
  return (names as string[]).filter((name) => !isEphemeral(name));
}
