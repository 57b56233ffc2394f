import type { Channel } from 'node:diagnostics_channel';
import { EventEmitter } from 'node:events';
import { type ClientReport, eventChannel } from './diagnostics.js';
import { throwLater } from './throw-later.js';

type Untyped = (this: object, event: string, ...args: readonly unknown[]) => unknown;

/** Without the types of one map of events: within the class below, none is known by name. */
const emit = EventEmitter.prototype.emit as Untyped;
const on = EventEmitter.prototype.on as Untyped;

/** An emitter whose events also go to diagnostics channels. */
export class ObservedEmitter<
  Events extends { [Event in keyof Events]: unknown[] },
> extends EventEmitter<Events> {
  readonly #client: 'consumer' | 'producer';
  readonly #channels = new Map<string, Channel>();

  constructor(client: 'consumer' | 'producer') {
    super();
    this.#client = client;
  }

  /** Emits an event, and publishes it on its channel. */
  protected report<Event extends keyof Events & string>(event: Event, ...args: Events[Event]): void {
    const channel = this.channelOf(event);
    if (channel.hasSubscribers) channel.publish({ client: this, event, args } satisfies ClientReport);
    try {
      emit.call(this, event, ...args);
    } catch (error) {
      throwLater(error);
    }
  }

  protected channelOf(event: keyof Events & string): Channel {
    let channel = this.#channels.get(event);
    if (!channel) {
      channel = eventChannel(this.#client, event);
      this.#channels.set(event, channel);
    }
    return channel;
  }

  /** Calls `told` with each event that gets a listener. */
  protected onNewListener(told: (event: string) => void): void {
    on.call(this, 'newListener', told);
  }
}
