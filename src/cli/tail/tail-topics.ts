import { randomInt } from 'node:crypto';
import { Consumer, type ConsumerOptions } from '../../client/index.js';
import type { SourceAddresses } from '../client-options.js';
import { reportConnections } from '../connection-report.js';
import { ExitCode } from '../errors.js';
import { Interruption } from '../interruption.js';
import { watchPipeReader } from '../pipe-reader.js';
import { placesOf } from '../places.js';
import type { Terminal } from '../terminal.js';
import type { MessageFormat } from './message-format.js';
import { Printer } from './printer.js';

export interface TailOptions {
  readonly topics: readonly string[];
  readonly channel: string;
  readonly source: SourceAddresses;
  readonly maxInFlight: number;
  /** Messages to print over all topics; 0 for no end. */
  readonly limit: number;
  readonly format: MessageFormat;
  /** Finishes what was published before the subscription without printing it. */
  readonly sinceReady: boolean;
  readonly consumerOptions: Partial<ConsumerOptions>;
  readonly terminal: Terminal;
}

/** Somebody watches: a broker that is back should be seen soon. */
const MAX_RECONNECT_DELAY_MS = 5000;
const NS_PER_MS = 1_000_000n;

/** A channel that goes with its last consumer, and that nobody else has. */
export function ownChannel(): string {
  return `tail${randomInt(1_000_000).toString().padStart(6, '0')}#ephemeral`;
}

/** Prints messages until the limit or a signal. Rejects if no subscription is possible in the first place. */
export async function tailTopics(options: TailOptions): Promise<void> {
  const { limit, terminal, topics } = options;
  const printer = new Printer(process.stdout, options.format);
  const interruption: Interruption = new Interruption(
    (line) => terminal.say(line),
    () => (printer.inFlight === 0 ? '' : `${printer.inFlight} in flight`),
  );
  const stopWatching = watchPipeReader(process.stdout.fd, () => process.exit(ExitCode.Done));
  const consumers = topics.map((topic) => new Consumer(consumerOptions(topic, options)));
  // Until there is a connection, what is tried again may be what ends it: then the error says it.
  let early: string[] | undefined = [];
  const say = (line: string): void => void (early ? early.push(line) : terminal.say(line));
  const stopReporting = consumers.map((consumer) => reportConnections(consumer, { say }));
  let since = 0n;
  let printed = 0;
  const print = async (consumer: Consumer): Promise<void> => {
    for await (const message of consumer) {
      if (interruption.signal.aborted || (limit > 0 && printed >= limit))
        return message.requeue({ delay: 0, backoff: false });
      if (message.timestamp < since) {
        message.finish();
        continue;
      }
      printer.print(message);
      printed++;
      if (printed === limit) return;
    }
  };
  try {
    const connected = Promise.all(consumers.map((consumer) => consumer.connect()));
    if ((await Promise.race([connected, interruption.wait().then(() => 'interrupted')])) === 'interrupted')
      return;
    for (const line of early) terminal.say(line);
    early = undefined;
    if (options.sinceReady) since = BigInt(Date.now()) * NS_PER_MS;
    terminal.say(readyLine(options));
    await Promise.race([interruption.wait(), ...consumers.map(print)]);
    for (const consumer of consumers) consumer.pause();
    await printer.flushed();
  } finally {
    for (const stop of stopReporting) stop();
    await Promise.allSettled(consumers.map((consumer) => consumer.close({ timeout: 5000 })));
    printer.close();
    stopWatching();
    interruption.dispose();
  }
}

function consumerOptions(topic: string, options: TailOptions): ConsumerOptions {
  // Not more than are wanted: the rest would only be given back.
  const maxInFlight = options.limit > 0 ? Math.min(options.limit, options.maxInFlight) : options.maxInFlight;
  return {
    maxInFlight,
    maxReconnectDelay: MAX_RECONNECT_DELAY_MS,
    ...options.consumerOptions,
    topic,
    channel: options.channel,
    ...options.source,
  };
}

function readyLine({ topics, channel, source }: TailOptions): string {
  return `ready: tailing ${topics.join(', ')} on channel ${channel} at ${placesOf(source)}`;
}
