export interface Message {
  readonly body: string;
  readonly deferred: boolean;
}

interface Waiting {
  attempts: number;
  /** It was handed to the channel in the log's order, and never yet to a consumer. */
  fresh: boolean;
}

/** What a channel should hold, by bodies: every message of a run has one of its own. */
export class ChannelModel {
  paused = false;
  readonly waiting = new Map<string, Waiting>();
  readonly deferred = new Map<string, number>();
  readonly inFlight = new Map<string, number>();

  take({ body, deferred }: Message): void {
    if (deferred) this.deferred.set(body, 0);
    else this.waiting.set(body, { attempts: 0, fresh: true });
  }

  lose(bodies: Iterable<string>): void {
    for (const body of bodies) {
      this.waiting.set(body, { attempts: this.inFlight.get(body)!, fresh: false });
      this.inFlight.delete(body);
    }
  }

  makeDue(): void {
    for (const [body, attempts] of this.deferred) this.waiting.set(body, { attempts, fresh: false });
    this.deferred.clear();
  }

  clear(): void {
    this.waiting.clear();
    this.deferred.clear();
    this.inFlight.clear();
  }
}

export class TopicModel {
  paused = false;
  queue: Message[] = [];
  readonly channels = new Map<string, ChannelModel>();

  pump(): void {
    if (this.paused || this.channels.size === 0) return;
    for (const channel of this.channels.values()) for (const message of this.queue) channel.take(message);
    this.queue = [];
  }
}
