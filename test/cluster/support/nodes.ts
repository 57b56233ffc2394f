import { type CliProcess, start } from '../../e2e/cli-process.js';
import { cleanup, tempDir } from '../../support/temp.js';
import { Network } from './network.js';

interface Addresses {
  readonly tcpAddress: string;
  readonly httpAddress: string;
}

/** A daemon of the cluster as a process of its own, which can be killed and started again where it was. */
abstract class ClusterNode {
  tcpAddress = '127.0.0.1:0';
  httpAddress = '127.0.0.1:0';
  #process: CliProcess | undefined;

  /** The command line, without addresses. */
  protected abstract command(): readonly string[];

  /** Starts it, with the ports that it had before. It goes with the file's tests. */
  async start(): Promise<void> {
    const first = this.#process === undefined;
    const addresses = ['--tcp-address', this.tcpAddress, '--http-address', this.httpAddress];
    const run = start([...this.command(), ...addresses]);
    this.#process = run;
    if (first) cleanup(() => this.#process?.destroy(), 'file');
    const [line] = await run.waitFor('stderr', /^\{.*"msg":"ready".*$/m);
    const ready = JSON.parse(line) as Addresses;
    this.tcpAddress = ready.tcpAddress;
    this.httpAddress = ready.httpAddress;
  }

  /** SIGKILL; resolves when it is gone. */
  async kill(): Promise<void> {
    await this.#process?.destroy();
  }

  async stop(): Promise<number | null> {
    this.#process?.kill('SIGTERM');
    return (await this.#process?.exited)?.code ?? null;
  }

  /** Resolves with the body of a 2xx, or of any other status too if `lenient`. */
  async request(path: string, init: RequestInit = {}, lenient = false): Promise<string> {
    const response = await fetch(`http://${this.httpAddress}${path}`, init);
    const text = await response.text();
    if (!lenient && !response.ok) throw new Error(`${path}: ${response.status} ${text}`);
    return text;
  }

  post(path: string, body = ''): Promise<string> {
    return this.request(path, { method: 'POST', body });
  }
}

interface Stats {
  readonly topics: readonly { readonly channels: readonly { readonly channel_name: string }[] }[] | null;
}

interface Lookup {
  readonly channels: readonly string[];
  readonly producers: readonly { readonly tcp_port: number }[];
}

export class LookupdNode extends ClusterNode {
  protected command(): readonly string[] {
    return ['lookupd', '--broadcast-address=127.0.0.1'];
  }

  /** Resolves when a look-up of the topic answers what is wanted; the lookupd says itself when it answers another thing. */
  async until(topic: string, wanted: (lookup: Lookup) => boolean): Promise<void> {
    let index = '';
    for (;;) {
      const path = `/lookup?topic=${encodeURIComponent(topic)}&wait=10s${index}`;
      const answer = JSON.parse(await this.request(path, {}, true)) as Partial<Lookup> & { index: number };
      if (wanted({ channels: answer.channels ?? [], producers: answer.producers ?? [] })) return;
      index = `&index=${answer.index}`;
    }
  }

  /** Resolves when these brokers, and no others, are listed for the topic. */
  lists(topic: string, brokers: readonly BrokerNode[]): Promise<void> {
    const want = brokers.map(({ port }) => port).sort();
    return this.until(
      topic,
      ({ producers }) => String(producers.map((it) => it.tcp_port).sort()) === String(want),
    );
  }

  async topics(): Promise<string[]> {
    return (JSON.parse(await this.request('/topics')) as { topics: string[] }).topics;
  }
}

/** A broker that its consumers and its lookupds are reached by over networks of its own. */
export class BrokerNode extends ClusterNode {
  readonly #dataPath = tempDir('file');
  readonly #clients: Network;
  readonly #lookupds: readonly Network[];

  private constructor(clients: Network, lookupds: readonly Network[]) {
    super();
    this.#clients = clients;
    this.#lookupds = lookupds;
  }

  static async start(lookupds: readonly LookupdNode[]): Promise<BrokerNode> {
    const networks = await Promise.all(lookupds.map(({ tcpAddress }) => Network.start(tcpAddress)));
    const broker = new BrokerNode(await Network.start(), networks);
    await broker.start();
    return broker;
  }

  override async start(): Promise<void> {
    await super.start();
    this.#clients.target = this.tcpAddress;
  }

  protected command(): readonly string[] {
    const port = ['--broadcast-address=127.0.0.1', `--broadcast-tcp-port=${this.port}`];
    const lookupds = this.#lookupds.map(({ address }) => `--lookupd-tcp-address=${address}`);
    return ['serve', `--data-path=${this.#dataPath}`, ...port, ...lookupds];
  }

  /** The TCP port that consumers are told. */
  get port(): number {
    return this.#clients.port;
  }

  /** What lookupds call it in tombstones. */
  get node(): string {
    return `127.0.0.1:${this.httpAddress.split(':')[1]}`;
  }

  /** Its networks: to consumers, and to each lookupd. */
  get networks(): readonly Network[] {
    return [this.#clients, ...this.#lookupds];
  }

  /** Its networks to lookupds. */
  get lookupdNetworks(): readonly Network[] {
    return this.#lookupds;
  }

  /** Resolves when all of them are stored. */
  async publish(topic: string, bodies: readonly string[]): Promise<void> {
    await this.post(`/mpub?topic=${encodeURIComponent(topic)}`, bodies.join('\n'));
  }

  /** Names of the topic's channels; undefined if it has no such topic. */
  async channels(topic: string): Promise<string[] | undefined> {
    const text = await this.request(`/stats?format=json&topic=${encodeURIComponent(topic)}`);
    const { topics } = JSON.parse(text) as Stats;
    return topics?.[0]?.channels.map((it) => it.channel_name).sort();
  }
}
