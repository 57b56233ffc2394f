import type { Address } from './address.js';
import type { BrokerError, ConnectionError } from './errors.js';
import { Link } from './link.js';
import type { ConnectionSettings } from './options.js';
import { Subscription, type SubscriptionHost } from './subscription.js';

/** What a {@link ConsumerNode} needs from its consumer. */
export interface ConsumerNodeHost extends SubscriptionHost {
  up(subscription: Subscription): void;
  retrying(address: string, error: BrokerError | ConnectionError, delay: number): void;
}

/** One nsqd that is consumed from, over one subscription after another. */
export class ConsumerNode {
  readonly address: string;
  readonly link: Link;
  /** Present while it is up. */
  subscription: Subscription | undefined;
  /** Its first attempt is under way: a share is kept for it. */
  isComing = true;

  constructor(address: Address, settings: ConnectionSettings, host: ConsumerNodeHost) {
    this.address = address.text;
    let opened: Subscription | undefined;
    const subscriptionHost: SubscriptionHost = {
      ...host,
      ended: (subscription, error) => {
        if (this.subscription !== subscription) return;
        this.subscription = undefined;
        host.ended(subscription, error);
        this.link.lost(error);
      },
    };
    this.link = new Link(address, settings, {
      open: async (signal) => {
        const { connection, subscription } = await Subscription.open(
          address,
          settings,
          subscriptionHost,
          signal,
        );
        opened = subscription;
        return connection;
      },
      up: () => {
        this.isComing = false;
        this.subscription = opened;
        if (opened) host.up(opened);
      },
      retrying: (error, delay) => {
        this.isComing = false;
        host.retrying(address.text, error, delay);
      },
    });
  }
}
