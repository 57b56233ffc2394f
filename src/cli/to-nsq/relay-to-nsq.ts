import type { ConsumerOptions, Message, ProducerOptions } from '../../client/index.js';
import type { SourceAddresses } from '../client-options.js';
import { placesOf } from '../places.js';
import { Delivery, type DeliveryMode } from '../relay/delivery.js';
import { Notice } from '../relay/notice.js';
import { relay } from '../relay/relay.js';
import type { Terminal } from '../terminal.js';
import { Destination, type Outgoing } from './destination.js';
import { JsonFilter, type JsonFilterOptions } from './json-filter.js';

export interface RelayToNsqOptions {
  readonly topics: readonly string[];
  readonly channel: string;
  readonly source: SourceAddresses;
  /** nsqds to publish to. */
  readonly destinations: readonly string[];
  /** `undefined`: the topic that a message comes from. */
  readonly destinationTopic: string | undefined;
  readonly mode: Exclude<DeliveryMode, 'multicast'>;
  readonly filter: JsonFilterOptions;
  readonly maxInFlight: number;
  /** 0 for never. */
  readonly statusEvery: number;
  readonly consumerOptions: Partial<ConsumerOptions>;
  readonly producerOptions: ProducerOptions;
  readonly terminal: Terminal;
}

/** Deliveries after which a message without the field to compare is left out where none is given up: go-nsq's. */
const INCOMPLETE_ATTEMPTS = 5;
const EXCERPT_BYTES = 80;

/** Publishes the messages of topics elsewhere until a signal; each is finished when its destination has said OK. */
export async function relayToNsq(options: RelayToNsqOptions): Promise<void> {
  const { topics, channel, source, destinationTopic, maxInFlight, terminal } = options;
  const destinations = options.destinations.map(
    (address) => new Destination(address, options.producerOptions),
  );
  warnOfCircle(options);
  const delivery = new Delivery<Outgoing>(destinations, {
    mode: options.mode,
    statusEvery: options.statusEvery,
    say: (line) => terminal.say(line),
  });
  const filter = new JsonFilter(options.filter);
  const givesUp = (options.consumerOptions.maxAttempts ?? 0) > 0;
  const rejects = new Notice((line) => terminal.warn(line));
  const handle = (message: Message, topic: string): Promise<void> | undefined => {
    const verdict = filter.apply(message.body);
    if (verdict.kind === 'pass') return delivery.deliver({ topic, body: verdict.body });
    if (verdict.kind === 'invalid') rejects.say(`left out, no JSON object: ${describe(message)}`);
    if (verdict.kind === 'incomplete') {
      const words = `without ${options.filter.requireField}, whose value is required: ${describe(message)}`;
      if (givesUp || message.attempts <= INCOMPLETE_ATTEMPTS) throw new Error(words);
      rejects.say(`left out, ${words}`);
    }
    return undefined;
  };
  try {
    await relay({
      routes: topics.map((topic) => ({
        topic,
        handle: (message) => handle(message, destinationTopic ?? topic),
      })),
      channel,
      source,
      maxInFlight,
      closing: { rest: 'handled' },
      consumerOptions: options.consumerOptions,
      readyLine: `ready: ${topics.join(', ')} (channel ${channel}) at ${placesOf(source)} goes to ${destinationTopic === undefined ? '' : `${destinationTopic} at `}${options.destinations.join(', ')}`,
      terminal,
    });
  } finally {
    rejects.flush();
    await Promise.allSettled(destinations.map((destination) => destination.close()));
  }
}

function warnOfCircle({ topics, source, destinations, destinationTopic, terminal }: RelayToNsqOptions): void {
  const nsqds = new Set([source.nsqdTcpAddresses ?? []].flat());
  const own = destinations.find((address) => nsqds.has(address));
  if (own !== undefined && topics.includes(destinationTopic ?? topics[0]!))
    terminal.warn(`${own} is source and destination of the same topic: messages go round and round`);
}

/** Which message, and how it begins, safe to print. */
function describe({ id, topic, body }: Message): string {
  const excerpt = JSON.stringify(body.toString('utf8', 0, EXCERPT_BYTES));
  return `message ${id} of ${topic}, ${excerpt}${body.length > EXCERPT_BYTES ? '…' : ''}`;
}
