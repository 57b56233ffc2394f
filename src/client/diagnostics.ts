import { channel, tracingChannel } from 'node:diagnostics_channel';
import type { Message } from './message.js';
import type { MessageHandler } from './runner.js';

/**
 * What instrumentation can subscribe to without a reference to any client, as OpenTelemetry's and other agents do with
 * `node:diagnostics_channel`:
 *
 * - `tracing:nsq:consume:*` (a TracingChannel): the work on one message; the context is {@link ConsumeContext}. With
 *   `consumer.run()` it is that of the handler, and a store bound to `start` is current within it. With a `for await` loop
 *   it is from when the loop gets the message until it is answered, or until it timed out or its connection was lost
 *   before; nothing can be current within the loop's body, so that what belongs to a span is to be found by its message.
 * - `tracing:nsq:publish:*`: one call of a producer, until its outcome; the context is {@link PublishContext}.
 * - `nsq:consumer:<event>` and `nsq:producer:<event>`: every event that the client emits, as a {@link ClientReport}.
 *
 * These in place of hooks among the options: instrumentation is loaded beside an application and has no part in how its
 * clients are made. A channel that nobody subscribes to costs one look at a property. Who wants to be told of time-outs
 * (`nsq:consumer:timeout`, and those that end a loop's span) subscribes before the consumer connects.
 */
export interface ConsumeContext {
  readonly message: Message;
  /** How a loop has answered the message, from `asyncStart` on; absent with a handler. */
  outcome?: 'finish' | 'requeue';
  /** What the handler threw; of a loop, an NsqError that says why it was not answered. From `error` on. */
  error?: unknown;
}

/** The context of `tracing:nsq:publish:*`. */
export interface PublishContext {
  /** The topic that is published to. */
  readonly topic: string;
  /** Bodies as they were given, one for each message. */
  readonly bodies: readonly (string | Uint8Array)[];
  /** How long the broker is to hold the message back, ms. */
  readonly delay?: number;
  /** The call's PublishError, from `error` on. */
  error?: unknown;
}

/** An event as it is published: `args` are those of the listeners. */
export interface ClientReport {
  /** The Consumer or Producer. */
  readonly client: object;
  readonly event: string;
  readonly args: readonly unknown[];
}

const CONSUME = tracingChannel<unknown, ConsumeContext>('nsq:consume');
const PUBLISH = tracingChannel<unknown, PublishContext>('nsq:publish');

/** `handler`, traced while somebody subscribes. */
export function tracedHandler(handler: MessageHandler): MessageHandler {
  return (message) => {
    if (!isObserved(CONSUME)) return handler(message);
    return CONSUME.tracePromise(async () => handler(message), { message });
  };
}

/** Whether somebody subscribes to `tracing:nsq:consume:*`. */
export function isConsumeObserved(): boolean {
  return isObserved(CONSUME);
}

/** The work on a message begins, and goes on until {@link endConsume}. */
export function beginConsume(message: Message): ConsumeContext {
  const context = { message };
  CONSUME.start.runStores(context, () => CONSUME.end.publish(context));
  return context;
}

export function endConsume(context: ConsumeContext): void {
  if (context.error !== undefined) CONSUME.error.publish(context);
  CONSUME.asyncStart.publish(context);
  CONSUME.asyncEnd.publish(context);
}

/** Whether somebody subscribes to `tracing:nsq:publish:*`. */
export function isPublishObserved(): boolean {
  return isObserved(PUBLISH);
}

/** Calls `publish`, traced. */
export function tracedPublish(publish: () => Promise<void>, context: PublishContext): Promise<void> {
  return PUBLISH.tracePromise(publish, context);
}

/** The channel of an event. */
export function eventChannel(client: 'consumer' | 'producer', event: string) {
  return channel(`nsq:${client}:${event}`);
}

// TracingChannel's own `hasSubscribers` looks at each of its channels by name.
function isObserved({ start, end, asyncEnd, error }: typeof CONSUME | typeof PUBLISH): boolean {
  return start.hasSubscribers || asyncEnd.hasSubscribers || error.hasSubscribers || end.hasSubscribers;
}
