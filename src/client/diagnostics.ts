import { channel, tracingChannel } from 'node:diagnostics_channel';
import type { Message } from './message.js';
import type { MessageHandler } from './runner.js';

/**
 * What instrumentation can subscribe to without a reference to any client, as OpenTelemetry's and other agents do with
 * `node:diagnostics_channel`:
 *
 * - `tracing:nsq:consume:*` (a TracingChannel): one handler of `consumer.run()` at work on one message; the context is
 *   {@link ConsumeContext}. A store bound to its `start` is current within the handler.
 * - `tracing:nsq:publish:*`: one call of a producer, until its outcome; the context is {@link PublishContext}.
 * - `nsq:consumer:<event>` and `nsq:producer:<event>`: every event that the client emits, as a {@link ClientReport}.
 *
 * These in place of hooks among the options: instrumentation is loaded beside an application and has no part in how its
 * clients are made. A channel that nobody subscribes to costs one look at a property. Who wants to be told of time-outs
 * (`nsq:consumer:timeout`) subscribes before the consumer connects.
 */
export interface ConsumeContext {
  readonly message: Message;
  /** What the handler threw, from `error` on. */
  error?: unknown;
}

export interface PublishContext {
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
