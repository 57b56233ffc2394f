import { encodeRegister, encodeUnregister } from '../../protocol/lookup-commands.js';

/** What is registered of a topic. A topic that was deleted and made anew is another object. */
export interface RegisteredTopic {
  readonly channels: ReadonlyMap<string, unknown>;
}

interface Known {
  readonly topic: RegisteredTopic;
  readonly channels: Set<string>;
}

/**
 * What one lookupd was told over one connection. It is told the difference to how things are, not what happened: a
 * channel that came and went in between is never mentioned, and nothing can be told in the wrong order.
 */
export class Registrations {
  readonly #topics = new Map<string, Known>();

  /** Topics that it knows of. */
  get names(): IterableIterator<string> {
    return this.#topics.keys();
  }

  /** The commands after which the lookupd knows of this name what is so now; no `topic` if there is none. */
  reconcile(name: string, topic: RegisteredTopic | undefined): Buffer[] {
    const known = this.#topics.get(name);
    // One made anew is registered anew, although the name is the same: tombstones of the old one end with it.
    if (known && known.topic !== topic)
      return [...this.#withdraw(name, known), ...this.reconcile(name, topic)];
    if (!topic) return [];
    if (!known) return this.#introduce(name, topic);
    const commands: Buffer[] = [];
    for (const channel of known.channels) {
      if (topic.channels.has(channel)) continue;
      known.channels.delete(channel);
      commands.push(encodeUnregister(name, channel));
    }
    for (const channel of topic.channels.keys()) {
      if (known.channels.has(channel)) continue;
      known.channels.add(channel);
      commands.push(encodeRegister(name, channel));
    }
    return commands;
  }

  #introduce(name: string, topic: RegisteredTopic): Buffer[] {
    const channels = new Set(topic.channels.keys());
    this.#topics.set(name, { topic, channels });
    // A channel's registration is its topic's too.
    if (channels.size === 0) return [encodeRegister(name)];
    return Array.from(channels, (channel) => encodeRegister(name, channel));
  }

  /** Each channel is named, as by nsqd: nsqlookupd warns else, and keeps listing ephemeral ones. */
  #withdraw(name: string, { channels }: Known): Buffer[] {
    this.#topics.delete(name);
    const named = Array.from(channels, (channel) => encodeUnregister(name, channel));
    return [...named, encodeUnregister(name)];
  }
}
