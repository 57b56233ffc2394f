import type { Wait, WaitOptions } from './wait.js';

/** A message as it was published. */
export class PublishedMessage {
  readonly topic: string;
  readonly body: Buffer;

  constructor(topic: string, body: Buffer) {
    this.topic = topic;
    this.body = body;
  }

  /** The body as UTF-8. */
  text(): string {
    return this.body.toString('utf8');
  }

  /** The body, read as JSON. @throws SyntaxError when it is none */
  json(): unknown {
    return JSON.parse(this.text());
  }
}

/** What is published to a topic from the call of `collect()` on; no channel is made for it. */
export class Collection implements Disposable {
  readonly topic: string;
  /** All of it, in order. */
  readonly messages: PublishedMessage[] = [];
  readonly #wait: Wait;
  readonly #stop: () => void;

  constructor(topic: string, wait: Wait, stop: () => void) {
    this.topic = topic;
    this.#wait = wait;
    this.#stop = stop;
  }

  /**
   * The first `count` messages, once there are as many.
   * @throws Error after `timeout` ms
   */
  async first(count: number, options: WaitOptions = {}): Promise<PublishedMessage[]> {
    await this.#wait.until(
      () => this.messages.length >= count,
      () => `${count} messages of ${this.topic}: ${this.messages.length} were published`,
      options,
    );
    return this.messages.slice(0, count);
  }

  /** Collects no more. */
  stop(): void {
    this.#stop();
  }

  [Symbol.dispose](): void {
    this.stop();
  }
}
