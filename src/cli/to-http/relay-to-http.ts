import type { ConsumerOptions } from '../../client/index.js';
import { lookUp } from '../../net/names.js';
import type { SourceAddresses } from '../client-options.js';
import { placesOf } from '../places.js';
import { Delivery, type DeliveryMode } from '../relay/delivery.js';
import { relay } from '../relay/relay.js';
import { LONGEST_TIMER_MS } from '../settings.js';
import type { Terminal } from '../terminal.js';
import type { Headers } from './headers.js';
import { HttpTarget } from './http-target.js';
import type { TargetUrl } from './target-url.js';

export interface RelayToHttpOptions {
  readonly topic: string;
  readonly channel: string;
  readonly source: SourceAddresses;
  readonly method: 'GET' | 'POST';
  readonly urls: readonly TargetUrl[];
  readonly mode: DeliveryMode;
  /** Of every request. */
  readonly headers: Headers;
  /** Part of the messages that is delivered, 0 to 1. */
  readonly sample: number;
  readonly maxInFlight: number;
  /** Requests under way at most. */
  readonly concurrency: number;
  /** ms */
  readonly connectTimeout: number;
  /** ms */
  readonly requestTimeout: number;
  /** 0 for never. */
  readonly statusEvery: number;
  readonly consumerOptions: Partial<ConsumerOptions>;
  readonly terminal: Terminal;
}

/** Requests a URL for each message until a signal; a message is finished when the response says that it has arrived. */
export async function relayToHttp(options: RelayToHttpOptions): Promise<void> {
  const { topic, channel, source, method, urls, sample, requestTimeout, concurrency, terminal } = options;
  const { Agent } = await import('undici');
  const agent = new Agent({
    connections: concurrency,
    connect: { timeout: options.connectTimeout, lookup: lookUp },
    // An exchange has a deadline of its own.
    headersTimeout: 0,
    bodyTimeout: 0,
  });
  const targets = urls.map(
    (url) => new HttpTarget(url, agent, { method, headers: options.headers, requestTimeout }),
  );
  const delivery = new Delivery(targets, {
    mode: options.mode,
    statusEvery: options.statusEvery,
    say: (line) => terminal.say(line),
  });
  try {
    await relay({
      routes: [
        {
          topic,
          handle: ({ body }) => (sample < 1 && Math.random() > sample ? undefined : delivery.deliver(body)),
        },
      ],
      channel,
      source,
      maxInFlight: options.maxInFlight,
      concurrency,
      consumerOptions: options.consumerOptions,
      closing: { timeout: Math.min(requestTimeout + 10_000, LONGEST_TIMER_MS) },
      readyLine: `ready: ${topic} (channel ${channel}) at ${placesOf(source)} goes to ${method} ${urls.map(({ name }) => name).join(', ')}`,
      terminal,
    });
  } finally {
    await agent.destroy();
  }
}
