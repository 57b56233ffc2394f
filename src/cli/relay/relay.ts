import {
  Consumer,
  type ConsumerCloseOptions,
  type ConsumerOptions,
  type Message,
} from '../../client/index.js';
import { formatDuration } from '../../protocol/duration.js';
import type { SourceAddresses } from '../client-options.js';
import { reportConnections } from '../connection-report.js';
import { Interruption } from '../interruption.js';
import type { Terminal } from '../terminal.js';
import { DeliveryError } from './delivery-error.js';
import { Notice } from './notice.js';

/** One topic and what is done with its messages. */
interface Route {
  readonly topic: string;
  /** Done with the message when it returns (or its promise resolves); the message comes again when it throws. */
  handle(message: Message): unknown;
}

export interface RelayOptions {
  readonly routes: readonly Route[];
  readonly channel: string;
  readonly source: SourceAddresses;
  /** Per topic. */
  readonly maxInFlight: number;
  /** Messages of a topic that are worked on at a time; default: as many as are in flight. */
  readonly concurrency?: number;
  readonly consumerOptions: Partial<ConsumerOptions>;
  /** What becomes of messages when a signal comes; default: those that are worked on are waited for. */
  readonly closing?: ConsumerCloseOptions;
  /** What is said when all subscriptions are in place. */
  readonly readyLine: string;
  readonly terminal: Terminal;
}

/** A broker that is back should be used soon. */
const MAX_RECONNECT_DELAY_MS = 5000;

/** Hands messages to their routes until a signal. Rejects if no subscription is possible in the first place. */
export async function relay(options: RelayOptions): Promise<void> {
  const { routes, terminal } = options;
  let inFlight = 0;
  const interruption = new Interruption(
    (line) => terminal.say(line),
    () => (inFlight === 0 ? '' : `${inFlight} in flight`),
  );
  const unexpected = new Notice((line) => terminal.warn(line));
  const consumers = routes.map((route) => ({
    route,
    consumer: new Consumer(consumerOptions(route, options)),
  }));
  const stopReporting = consumers.map(({ consumer }) => reportConnections(consumer, terminal));
  const run = ({ route, consumer }: (typeof consumers)[number]): Promise<void> => {
    reportAnswers(consumer, terminal, unexpected, options.consumerOptions.deadLetterTopic);
    const { concurrency = Number.MAX_SAFE_INTEGER } = options;
    return consumer.run(
      (message) => {
        const outcome = route.handle(message);
        if (!(outcome instanceof Promise)) return outcome;
        inFlight++;
        return outcome.finally(() => inFlight--);
      },
      { concurrency },
    );
  };
  try {
    const connected = Promise.all(consumers.map(({ consumer }) => consumer.connect()));
    if ((await Promise.race([connected, interruption.wait().then(() => 'interrupted')])) === 'interrupted')
      return;
    terminal.say(options.readyLine);
    await Promise.race([interruption.wait(), ...consumers.map(run)]);
  } finally {
    for (const stop of stopReporting) stop();
    await Promise.allSettled(consumers.map(({ consumer }) => consumer.close(options.closing)));
    unexpected.flush();
    interruption.dispose();
  }
}

/** What becomes of messages that are not simply finished; failed deliveries have been said by then. */
function reportAnswers(consumer: Consumer, terminal: Terminal, notice: Notice, deadLetterTopic = ''): void {
  const rest = deadLetterTopic === '' ? '' : `, goes to ${deadLetterTopic}`;
  let highest = 0;
  consumer.on('backoff', (level, delay) => {
    if (level > highest) terminal.say(`${consumer.topic}: pausing for ${formatDuration(Math.round(delay))}`);
    if (level === 0) terminal.say(`${consumer.topic}: at full speed again`);
    highest = level === 0 ? 0 : Math.max(level, highest);
  });
  consumer.on('handlerError', (error) => {
    if (!(error instanceof DeliveryError))
      notice.say(`requeued, ${error instanceof Error ? error.message : error}`);
  });
  consumer.on('giveUp', ({ id, topic, attempts }) =>
    notice.say(`given up in attempt ${attempts}${rest}: message ${id} of ${topic}`),
  );
}

function consumerOptions({ topic }: Route, options: RelayOptions): ConsumerOptions {
  return {
    maxInFlight: options.maxInFlight,
    maxReconnectDelay: MAX_RECONNECT_DELAY_MS,
    // A target that is slow must not double messages.
    autoTouch: true,
    ...options.consumerOptions,
    topic,
    channel: options.channel,
    ...options.source,
  };
}
