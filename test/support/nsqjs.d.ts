/** What the tests use of nsqjs 0.13, which has no types of its own. */
declare module 'nsqjs' {
  import type { EventEmitter } from 'node:events';

  type Done = (error: Error | null) => void;
  type Content = string | Buffer;

  interface TransportOptions {
    tls?: boolean;
    tlsVerification?: boolean;
    snappy?: boolean;
    deflate?: boolean;
    deflateLevel?: number;
    authSecret?: string;
  }

  export class Writer extends EventEmitter {
    constructor(host: string, port: number, options?: TransportOptions);
    connect(): void;
    publish(topic: string, bodies: Content | readonly Content[], done: Done): void;
    /** Its documentation says one body; its code wants a list of one. */
    deferPublish(topic: string, bodies: readonly [Content], delayMs: number, done: Done): void;
    close(): void;
  }

  export class Reader extends EventEmitter {
    constructor(
      topic: string,
      channel: string,
      options: TransportOptions & { nsqdTCPAddresses: string[]; maxInFlight?: number },
    );
    connect(): void;
    close(): void;
  }

  export interface Message {
    readonly id: string;
    readonly attempts: number;
    readonly body: Buffer;
    readonly hasResponded: boolean;
    finish(): void;
    requeue(delayMs: number, backoff: boolean): void;
    touch(): void;
  }

  const nsqjs: { readonly Writer: typeof Writer; readonly Reader: typeof Reader };
  export default nsqjs;
}
