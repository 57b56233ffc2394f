import { listen } from './address.js';
import type { Broker } from './broker.js';
import { portOf } from './http/info.js';
import { HttpServer } from './http/server.js';
import { TcpServer } from './tcp/server.js';
import type { ServerTls } from './tls/server-tls.js';
import { offersTls } from './tls/tls-settings.js';

/** What a broker is reached by: TCP, HTTP and HTTPS. */
export class Servers {
  readonly tcp: TcpServer;
  readonly http: HttpServer;
  readonly #broker: Broker;
  #https: HttpServer | undefined;
  #tls: ServerTls | undefined;
  #tcpAddress = '';
  #httpAddress = '';
  #httpsAddress = '';

  constructor(broker: Broker) {
    this.#broker = broker;
    this.tcp = new TcpServer(broker);
    this.http = HttpServer.plain(broker);
  }

  /** Undefined: TLS is not offered. */
  get tls(): ServerTls | undefined {
    return this.#tls;
  }

  /** `host:port`, or the path of a unix socket; empty before it listens. */
  get tcpAddress(): string {
    return this.#tcpAddress;
  }

  /** Empty if there is no HTTP. */
  get httpAddress(): string {
    return this.#httpAddress;
  }

  /** Empty if there is no HTTPS. */
  get httpsAddress(): string {
    return this.#httpsAddress;
  }

  /** The TCP port that clients are told; 0 if there is none. */
  get broadcastTcpPort(): number {
    return this.#broker.settings.broadcastTcpPort || Math.max(0, portOf(this.#tcpAddress));
  }

  /** The HTTP port that clients are told; 0 if there is none. */
  get broadcastHttpPort(): number {
    return this.#broker.settings.broadcastHttpPort || Math.max(0, portOf(this.#httpAddress));
  }

  /** Reads certificate and key. @throws BrokerError E_OPTION */
  async loadTls(): Promise<void> {
    const { settings } = this.#broker;
    if (!offersTls(settings)) return;
    const { ServerTls: Tls } = await import('./tls/server-tls.js');
    this.#tls = new Tls(settings);
    if (settings.httpsAddress !== '') this.#https = await HttpServer.secure(this.#broker, this.#tls);
  }

  /** @throws BrokerError E_OPTION or E_LISTEN */
  async listen(): Promise<void> {
    const { settings } = this.#broker;
    this.#tcpAddress = await this.#listen(this.tcp, settings.tcpAddress, 'TCP');
    if (settings.httpAddress !== '') {
      this.#httpAddress = await this.#listen(this.http, settings.httpAddress, 'HTTP');
    }
    if (this.#https) this.#httpsAddress = await this.#listen(this.#https, settings.httpsAddress, 'HTTPS');
  }

  /** Ends every connection at once: what has yet to be sent does not go out. */
  cut(): void {
    this.tcp.cut();
    for (const http of [this.http, this.#https]) http?.server.closeAllConnections();
  }

  async close(): Promise<void> {
    await Promise.all([this.tcp.close(), this.http.close(), this.#https?.close()]);
  }

  async #listen({ server }: TcpServer | HttpServer, address: string, what: string): Promise<string> {
    const { logger } = this.#broker;
    const bound = await listen(server, address, what);
    server.on('error', (error) => logger.error(`server: ${error.message}`));
    logger.info(`${what}: listening on ${bound}`);
    return bound;
  }
}
