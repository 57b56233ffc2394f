import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { cleanup } from '../../support/temp.js';

interface Pair {
  readonly near: Socket;
  readonly far: Socket;
}

/**
 * A network between two processes that a test can take apart. `cut` ends connections and refuses new ones, as when a
 * machine is gone; `hang` lets nothing through and says nothing, as when packets are dropped.
 */
export class Network {
  /** `host:port` behind it. */
  target: string;
  readonly #server: Server;
  readonly #pairs = new Set<Pair>();
  #state: 'open' | 'cut' | 'hung' = 'open';

  private constructor(target: string) {
    this.target = target;
    this.#server = createServer({ noDelay: true }, (near) => this.#accept(near));
  }

  /** Goes with the file's tests. */
  static async start(target = ''): Promise<Network> {
    const network = new Network(target);
    network.#server.listen(0, '127.0.0.1');
    await once(network.#server, 'listening');
    cleanup(() => {
      network.cut();
      network.#server.close();
    }, 'file');
    return network;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  cut(): void {
    this.#state = 'cut';
    for (const { near, far } of this.#pairs) {
      near.destroy();
      far.destroy();
    }
  }

  hang(): void {
    this.#state = 'hung';
    for (const { near, far } of this.#pairs) {
      near.unpipe();
      far.unpipe();
    }
  }

  heal(): void {
    const wasHung = this.#state === 'hung';
    this.#state = 'open';
    if (wasHung) for (const pair of this.#pairs) join(pair);
  }

  #accept(near: Socket): void {
    near.on('error', () => undefined);
    if (this.#state === 'cut') return void near.destroy();
    const { hostname, port } = new URL(`tcp://${this.target}`);
    const far = connect({ host: hostname, port: Number(port), noDelay: true });
    const pair = { near, far };
    this.#pairs.add(pair);
    far.on('error', () => near.destroy());
    far.on('close', () => near.destroy());
    near.on('close', () => {
      far.destroy();
      this.#pairs.delete(pair);
    });
    if (this.#state === 'open') join(pair);
  }
}

function join({ near, far }: Pair): void {
  near.pipe(far);
  far.pipe(near);
}
